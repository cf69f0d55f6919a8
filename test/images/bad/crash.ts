// A version that cannot start.
console.error("Error: Cannot find module './routes' (this version was built without it)");
process.exit(1);

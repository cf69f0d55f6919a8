import { beginLending } from "./lent.ts";

/** What the suites of a project were lent ends after the last of them. */
export default beginLending;

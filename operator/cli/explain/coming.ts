/** Something that is to happen: when, where a time is known, and what. */
export interface Coming {
  /** RFC 3339; absent where it waits for something other than a time. */
  readonly at?: string;
  readonly what: string;
}

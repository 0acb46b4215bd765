/** The advisory lock that one run at a time holds in a database; the number is arbitrary but fixed. */
export const SYNC_LOCK = 7_236_150_924_081;

/** Above that in the 99th percentile, ms, what was measured meanwhile says more of the machine than of anything else. */
export const TOO_LATE = 10;

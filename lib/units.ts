/** Bytes in a kibibyte. */
export const KiB = 1024
/** Bytes in a mebibyte. */
export const MiB = 1024 * KiB
/** Bytes in a gibibyte. */
export const GiB = 1024 * MiB
/** Bytes in a tebibyte. */
export const TiB = 1024 * GiB

/** Nanoseconds in a millisecond: the arena counts in nanoseconds, its users in milliseconds. */
export const NS_PER_MS = 1e6

/**
 * Durations from here on count as "for ever". The arena keeps times as 64-bit nanoseconds (292 years); a tenth of that
 * leaves room for sums.
 */
export const FOREVER_MS = 9e11

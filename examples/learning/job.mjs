// Holds as many megabytes as its input says, and some more that nobody knows of. As a memory limit would, it ends with 137 if that is beyond what it was granted.
// Usage: node job.mjs MEGABYTES GRANTED_BYTES; says what the kernel counted as its peak.
const MB = 2 ** 20
const OUT_OF_MEMORY = 137
/** Of node itself, and of the buffer's surroundings. */
const megabytes = Number(process.argv[2])
const granted = Number(process.argv[3])

const pixels = Buffer.alloc(megabytes * MB, 1)
const peak = process.resourceUsage().maxRSS * 1024
process.stdout.write(JSON.stringify({ peak, checksum: pixels[pixels.length - 1] }))
process.exitCode = peak > granted ? OUT_OF_MEMORY : 0

import { createReadStream } from 'node:fs'
import { TraceError } from '../../errors/index.js'
import { replay } from '../engine.js'
import { type Trace, type TraceRequest, Whos, type Workload } from '../trace.js'
import { Busiest } from './busiest.js'

const RECORD_BYTES = 32
const LENGTH_AT = 4
const COMMAND_AT = 12
const BLOCK_AT = 16
const MICROSECONDS_AT = 24
/** Blocks of 512 bytes in an extent of 1 MiB, as a power of two. */
const EXTENT_BITS = 11n
/** Operation codes of SCSI (SBC): WRITE of 6, 10, 12 and 16 bytes. */
const WRITES = new Set([0x0a, 0x2a, 0xaa, 0x8a])
const READS = new Set([0x08, 0x28, 0xa8, 0x88])
const WAIT_PART = 0.1
const NEAR = 0.0005
const STEPS_MOST = 24
const WHOS = new Whos()
const WRITE = WHOS.of('write', undefined, 'interactive')
const READ = WHOS.of('read', undefined, 'background')
const TIERS = ['background', 'interactive']
const NONE: readonly number[] = []

/** Requests to a virtual disk (CloudPhysics; Waldspurger et al., FAST 2015), as locks on what they are about. */
export function cloudphysics(file: string): Trace {
  let workload: Workload | undefined
  return {
    name: 'cloudphysics',
    title:
      'locks on extents of 1 MiB, by the first block of a request: writes exclusive and interactive, reads shared and background; held for so long a byte that 10 % wait under reactive',
    scales: false,
    async workload() {
      workload ??= await made(file)
      return workload
    }
  }
}

async function made(file: string): Promise<Workload> {
  const summary = await summaryOf(file)
  const of = (msPerByte: number): Workload => ({
    trace: 'cloudphysics',
    setting: String(100 * WAIT_PART),
    tiers: TIERS,
    pools: [],
    buckets: [],
    ...summary,
    sized: false,
    batches: () => read(file, msPerByte)
  })
  return of(await msPerByteFor(of))
}

/** The more a byte costs, the more requests wait: found by halving, through the core itself. */
async function msPerByteFor(of: (msPerByte: number) => Workload): Promise<number> {
  let [low, high] = [1e-7, 10]
  let best = { at: high, off: Number.POSITIVE_INFINITY }
  for (let i = 0; i < STEPS_MOST && best.off > NEAR; i++) {
    const at = Math.sqrt(low * high)
    const { tiers, requests } = await replay({ workload: of(at), policy: { name: 'reactive' } })
    const part = tiers.reduce((all, { waited, requests: some }) => all + waited * some, 0) / requests
    if (Math.abs(part - WAIT_PART) < best.off) best = { at, off: Math.abs(part - WAIT_PART) }
    if (part > WAIT_PART) high = at
    else low = at
  }
  return best.at
}

async function summaryOf(file: string): Promise<{ count: number; busiest: readonly string[] }> {
  const writes = new Busiest()
  let count = 0
  for await (const batch of read(file, 0)) {
    count += batch.length
    for (const { who, thing } of batch) if (who === WRITE) writes.add(thing)
  }
  if (count === 0) throw new TraceError(`${file}: there is no record in it`, { file, line: 1 })
  return { count, busiest: writes.names }
}

async function* read(file: string, msPerByte: number): AsyncGenerator<readonly TraceRequest[]> {
  let rest: Buffer = Buffer.alloc(0)
  let first: bigint | undefined
  let [number, last] = [0, 0]
  for await (const chunk of createReadStream(file, { highWaterMark: RECORD_BYTES * 4096 }) as AsyncIterable<Buffer>) {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    const whole = Math.floor(bytes.length / RECORD_BYTES)
    const batch: TraceRequest[] = []
    for (let at = 0; at < whole * RECORD_BYTES; at += RECORD_BYTES) {
      number++
      const stamp = bytes.readBigUInt64LE(at + MICROSECONDS_AT)
      first ??= stamp
      const time = Number(stamp - first) / 1000
      const command = bytes.readUInt16LE(at + COMMAND_AT)
      const isWrite = WRITES.has(command)
      if (time < last) throw new TraceError(`${file}: record ${number} is earlier than the one before`, { file, line: number })
      if (!isWrite && !READS.has(command)) {
        throw new TraceError(`${file}: record ${number} has the command 0x${command.toString(16)}, which neither reads nor writes`, {
          file,
          line: number
        })
      }
      last = time
      batch.push({
        time,
        who: isWrite ? WRITE : READ,
        kind: 'lock',
        thing: String(bytes.readBigUInt64LE(at + BLOCK_AT) >> EXTENT_BITS),
        amounts: NONE,
        shared: !isWrite,
        duration: msPerByte * bytes.readUInt32LE(at + LENGTH_AT),
        input: undefined,
        peak: undefined
      })
    }
    rest = bytes.subarray(whole * RECORD_BYTES)
    if (batch.length > 0) yield batch
  }
  if (rest.length > 0) {
    throw new TraceError(`${file}: ${rest.length} bytes behind record ${number}, which are no whole record`, { file, line: number + 1 })
  }
}

import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

/** One request to a disk. */
export interface DiskRequest {
  /** the extent of 1 MiB that it begins in */
  readonly key: bigint
  /** ms from the first one on */
  readonly time: number
  readonly bytes: number
  readonly isWrite: boolean
}

export const CLOUDPHYSICS = 'cloudphysics'

const RECORD_BYTES = 32
const LENGTH_AT = 4
const COMMAND_AT = 12
const BLOCK_AT = 16
const MICROSECONDS_AT = 24
/** Blocks of 512 bytes in an extent of 1 MiB, as a power of two. */
const EXTENT_BITS = 11n
/** WRITE of 6, 10, 12 and 16 bytes (SCSI Block Commands). */
const WRITES = [0x0a, 0x2a, 0xaa, 0x8a]

/** Block requests of a virtual disk over two hours (CloudPhysics, Waldspurger et al., FAST 2015), in their order. */
export async function diskRequests(data: string): Promise<DiskRequest[]> {
  const bytes = await readFile(join(data, CLOUDPHYSICS, 'cloudPhysicsIO.vscsi'))
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const first = view.getBigUint64(MICROSECONDS_AT, true)
  return Array.from({ length: Math.floor(bytes.byteLength / RECORD_BYTES) }, (_, i) => {
    const at = i * RECORD_BYTES
    return {
      key: view.getBigUint64(at + BLOCK_AT, true) >> EXTENT_BITS,
      time: Number(view.getBigUint64(at + MICROSECONDS_AT, true) - first) / 1000,
      bytes: view.getUint32(at + LENGTH_AT, true),
      isWrite: WRITES.includes(view.getUint16(at + COMMAND_AT, true))
    }
  })
}

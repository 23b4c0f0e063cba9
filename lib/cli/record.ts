import { type FileHandle, open as openFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { refuse } from '../checks.js'
import { LaneWatch } from '../foresight/lane-watch.js'
import { joinArena } from '../open.js'
import { Recorded, type RecordedRow } from '../replay/recorded.js'
import { inspectArena } from './inspect.js'

export const RECORD_OPTIONS = {
  out: { type: 'string' },
  seconds: { type: 'string' },
  force: { type: 'boolean' },
  dir: { type: 'string' },
  help: { type: 'boolean', short: 'h' }
} as const

export interface RecordValues {
  /** how long; default until it is aborted */
  seconds?: string | undefined
  /** whether a file that is there already is written over */
  force?: boolean | undefined
  dir?: string | undefined
}

/** What a recording has. */
export interface Recording {
  readonly requests: number
  /** that were made, and not granted */
  readonly refused: number
  /** records that were overwritten before they were read */
  readonly lost: number
}

const PERIOD_MS = 100
const MS_PER_S = 1000
/** Whoever may read what an arena is asked for may open the arena. */
const MODE = 0o600

/**
 * Writes what all processes ask of a named arena into a trace (JSONL) that can be replayed, until it is aborted or the time is over.
 *
 * @throws NotFoundError if there is no such arena; ArgumentError, also for a file that is there already, unless `force`; what the file system throws
 */
export async function recordTrace(
  name: string,
  out: string,
  { seconds, dir, force = false }: RecordValues,
  signal: AbortSignal,
  progress: (text: string) => void
): Promise<Recording> {
  if (!/\.(jsonl|ndjson)$/i.test(out)) throw refuse('--out', 'a file *.jsonl', out)
  const length = seconds === undefined ? Number.POSITIVE_INFINITY : Number(seconds) * MS_PER_S
  if (!(length > 0)) throw refuse('--seconds', 'a number > 0', seconds)
  // Only what is there already is recorded: joining would make it.
  inspectArena(name, dir)
  const session = joinArena({ name, ...(dir !== undefined && { dir }) })
  try {
    const watch = new LaneWatch(session, () => new Recorded(session.tiers))
    try {
      const file = await create(out, force)
      try {
        return await write(watch, length, signal, async rows => void (await file.write(rows)), progress)
      } finally {
        await file.close()
      }
    } finally {
      watch.stop()
    }
  } finally {
    session.leave()
  }
}

/** Refused as it is made, not looked for before: two that begin at once do not write over each other. */
async function create(out: string, force: boolean): Promise<FileHandle> {
  try {
    return await openFile(out, force ? 'w' : 'wx', MODE)
  } catch (error) {
    if (force || (error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    throw refuse('--out', 'a file that is not there yet, unless --force is given', out)
  }
}

async function write(
  watch: LaneWatch<Recorded>,
  length: number,
  signal: AbortSignal,
  put: (text: string) => Promise<void>,
  progress: (text: string) => void
): Promise<Recording> {
  const { outlook } = watch
  let requests = 0
  const append = async (rows: readonly RecordedRow[]) => {
    requests += rows.length
    if (rows.length > 0) await put(rows.map(row => `${JSON.stringify(row)}\n`).join(''))
    progress(`${requests} requests`)
  }
  const until = performance.now() + length
  while (!signal.aborted && performance.now() < until) {
    watch.readAll()
    await append(outlook.take(watch.now()))
    await sleep(Math.min(PERIOD_MS, Math.max(0, until - performance.now())), undefined, { signal }).catch(ended)
  }
  watch.readAll()
  await append(outlook.rest(watch.now()))
  return { requests, refused: outlook.refused, lost: watch.lost }
}

/** The recording is to end; anything else is a failure. */
function ended(error: Error): void {
  if (error.name !== 'AbortError') throw error
}

import { ClosedError } from '../errors/index.js'
import { joinArena } from '../open.js'
import { plainError } from '../thread/plain-error.js'
import type { FromRecorder, RecorderStart, RecorderState, ToRecorder } from './messages.js'
import { openPlace } from './place.js'
import { Recording, type StoreAccess } from './recording.js'
import type { HistoryStore } from './store.js'

/** ms: what each look at the lanes finds is told no oftener, because it wakes the caller's event loop. */
const TELL_EVERY_MS = 100

/** The way back to whoever asked for a recorder. */
export interface CallerPort {
  post(message: FromRecorder): void
  /** nothing more is posted, nor heard */
  close(): void
}

/** A recorder for a caller in another thread or process. */
export interface ServedRecorder {
  hear(message: ToRecorder): void
  /** The caller is gone: what was told until now is read, flushed, and the store closed. */
  abandon(): Promise<void>
}

/** Joins the arena and records until it is told to stop. What it fails of is posted, not thrown. */
export function serveRecorder(start: RecorderStart, port: CallerPort): ServedRecorder {
  try {
    return new Served(start, port)
  } catch (error) {
    port.post({ event: 'failed', error: plainError(error) })
    port.close()
    return { hear: () => {}, abandon: async () => {} }
  }
}

class Served implements ServedRecorder {
  readonly #port: CallerPort
  readonly #session: ReturnType<typeof joinArena>
  readonly #recording: Recording
  #store: HistoryStore | undefined
  #delay: number | undefined
  #told = ''
  #toldAt = Number.NEGATIVE_INFINITY
  #left = false

  constructor({ arena, place, terms }: RecorderStart, port: CallerPort) {
    this.#port = port
    this.#session = joinArena(arena)
    const access: StoreAccess = {
      open: async () => {
        // A second thread of DuckDB's competes with the caller's: without it 110,000 events a second took 0.89 cores in place of 1.03, and were written as soon.
        this.#store = await openPlace('duckdb' in place ? { threads: 1, ...place } : place)
        return this.#store
      },
      close: open => open.close()
    }
    this.#recording = new Recording(this.#session, access, terms, {
      waiting: () => port.post({ event: 'waiting' }),
      failed: error => {
        port.post({ event: 'failed', error: plainError(error) })
        this.#leave()
      },
      looked: () => {
        if (performance.now() - this.#toldAt >= TELL_EVERY_MS) this.#tell()
      },
      delay: () => this.#delay
    })
    void this.#recording.begun.then(() => {
      const { store } = this.#recording
      if (store === undefined) return
      this.#tell()
      port.post({ event: 'begun', recovered: store.recovered })
    })
  }

  hear(message: ToRecorder): void {
    if ('delay' in message) this.#delay = message.delay
    else if ('append' in message) this.#recording.store?.append(...message.append)
    else void this.#reply(message)
  }

  async abandon(): Promise<void> {
    await this.#recording.stop()
    this.#leave()
  }

  async #reply(message: Extract<ToRecorder, { id: number }>): Promise<void> {
    const { id } = message
    try {
      const value = await this.#answer(message)
      this.#tell()
      this.#port.post({ id, value })
    } catch (error) {
      this.#port.post({ id, error: plainError(error) })
    }
    if (message.call === 'stop') this.#leave()
  }

  async #answer(message: Extract<ToRecorder, { id: number }>): Promise<unknown> {
    const recording = this.#recording
    if (message.call === 'stop') return recording.stop()
    await recording.begun
    if (recording.store === undefined) throw new ClosedError('this recorder has stopped', { resource: undefined })
    if (message.call === 'drain') return recording.drain()
    const call = recording.store[message.call] as (...args: readonly unknown[]) => Promise<unknown>
    return call.apply(recording.store, [...message.args])
  }

  #tell(): void {
    this.#toldAt = performance.now()
    const state = this.#state()
    const text = JSON.stringify(state)
    if (text === this.#told) return
    this.#told = text
    this.#port.post({ event: 'state', state })
  }

  #state(): RecorderState {
    const { degraded = null, buffered = 0, dropped = 0 } = this.#store?.health() ?? {}
    const { active, counts } = this.#recording
    return { status: { active, ...counts }, degraded: degraded === null ? null : plainError(degraded), buffered, dropped }
  }

  /** With nothing left to listen to, the thread or process ends. */
  #leave(): void {
    if (this.#left) return
    this.#left = true
    this.#session.leave()
    this.#port.close()
  }
}

import { join } from 'node:path'
import type { Worker } from 'node:worker_threads'
import { refuse } from '../checks.js'
import { ClosedError, NotFoundError } from '../errors/index.js'
import { here } from '../native/here.js'
import type { Session } from '../session.js'
import { newEnd, waitAtExit } from '../thread/at-exit.js'
import { type Peer, type PeerEvents, processPeer, threadPeer } from '../thread/peer.js'
import { errorOf } from '../thread/plain-error.js'
import { arenaOf, startProcess, startThread } from '../thread/start.js'
import { watchLoop } from './loop-delay.js'
import type { FromRecorder, RecorderStart, RecorderState, ToRecorder } from './messages.js'
import type { StorePlace } from './place.js'
import type { Recorder, RecorderStatus } from './recorder.js'
import type { RecordingTerms } from './recording.js'
import { RemoteStore } from './remote-store.js'
import type { Health, HistoryStore, Recovered } from './store.js'

interface Pending {
  resolve(value: never): void
  reject(error: unknown): void
}

const NOTHING_YET: RecorderState = {
  status: { active: false, events: 0, runs: 0, actions: 0, lost: 0 },
  degraded: null,
  buffered: 0,
  dropped: 0
}

/** A recorder in a thread or a process of its own, which opens the store, drains, decodes and writes. Here is only the way there. */
export class RemoteRecorder implements Recorder {
  readonly begun: Promise<void>
  readonly store: HistoryStore
  error: unknown = undefined
  recovered: Recovered | null = null
  readonly #peer: Peer
  readonly #pending = new Map<number, Pending>()
  #state = NOTHING_YET
  #degraded: Error | null = null
  #calls = 0
  #stopCall = 0
  #begin!: () => void
  /** it has begun, or waits to: until then the process waits for it */
  #settled = false
  readonly #host: boolean
  /** by its handle, or its name */
  readonly #arena: string
  #unwatch: (() => void) | undefined
  #stopped: Promise<void> | undefined
  #exit!: () => void
  readonly #exited: Promise<void>
  #ended = false

  constructor(session: Session, place: StorePlace, terms: RecordingTerms, where: 'process' | 'thread') {
    this.#host = terms.host
    this.begun = new Promise(resolve => {
      this.#begin = resolve
    })
    this.#exited = new Promise(resolve => {
      this.#exit = resolve
    })
    const arena = arenaOf(session)
    this.#arena = 'handle' in arena ? arena.handle : arena.name
    this.store = new RemoteStore('duckdb' in place ? 'duckdb' : 'postgres', this)
    this.#peer = startRecorder(
      where,
      { arena, place, terms },
      {
        message: message => this.#hear(message),
        failed: error => this.#fail(error),
        ended: how => this.#end(how)
      }
    )
    session.leaving.push(() => this.stop())
  }

  get pid(): number | undefined {
    return this.#peer.pid
  }

  get status(): RecorderStatus {
    return this.#state.status
  }

  get health(): Health {
    const { buffered, dropped } = this.#state
    return { degraded: this.#degraded, buffered, dropped }
  }

  drain(): Promise<void> {
    return this.ask(id => ({ id, call: 'drain' }))
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#stop()
    return this.#stopped
  }

  async #stop(): Promise<void> {
    if (this.#ended) return
    this.#unwatch?.()
    const answer = this.#ask<void>(id => {
      this.#stopCall = id
      return { id, call: 'stop' }
    })
    await answer
    await this.#exited
  }

  tell(message: ToRecorder): void {
    this.mustRun()
    // Nowhere to put rows: nobody may ever become the recorder who could write them.
    if (!this.status.active) throw new ClosedError('this recorder is not the one of its arena yet', { resource: undefined })
    this.#post(message)
  }

  /** @throws ArgumentError for what cannot be copied, as a function that is given as a parameter */
  #post(message: ToRecorder): void {
    try {
      this.#peer.post(message)
    } catch (error) {
      throw refuse('argument', 'made of what can be copied to another thread or process', (error as Error).message)
    }
  }

  ask<T>(message: (id: number) => ToRecorder): Promise<T> {
    try {
      this.mustRun()
    } catch (error) {
      return Promise.reject(error)
    }
    return this.#ask(message)
  }

  /** @throws ClosedError */
  mustRun(): void {
    if (this.#stopped !== undefined || this.#ended || this.error !== undefined) throw this.#gone()
  }

  #gone(): ClosedError {
    return new ClosedError('this recorder has stopped', { resource: undefined }, this.error)
  }

  #ask<T>(message: (id: number) => ToRecorder): Promise<T> {
    const id = ++this.#calls
    return new Promise<T>((resolve, reject) => {
      // First, so that nobody waits for an answer to what was refused.
      this.#post(message(id))
      this.#pending.set(id, { resolve, reject })
      this.#keepAlive()
    })
  }

  #hear(message: FromRecorder): void {
    if ('id' in message) {
      const pending = this.#pending.get(message.id)
      this.#pending.delete(message.id)
      if ('error' in message) pending?.reject(errorOf(message.error))
      else pending?.resolve(message.value as never)
    } else if (message.event === 'state') {
      this.#state = message.state
      this.#degraded = message.state.degraded === null ? null : errorOf(message.state.degraded)
    } else if (message.event === 'failed') {
      this.#fail(errorOf(message.error))
    } else {
      this.#settled = true
      if (message.event === 'begun') {
        this.recovered = message.recovered
        if (this.#host && this.#stopped === undefined) this.#unwatch = watchLoop(delay => this.#peer.post({ delay }))
        this.#begin()
      }
    }
    this.#keepAlive()
  }

  /**
   * Whoever waits for an answer is not left without one by the end of the process, nor for all to be written once it is told to stop. A recorder as
   * such keeps no process alive.
   */
  #keepAlive(): void {
    if (this.#settled && this.#pending.size === 0 && this.#stopped === undefined) this.#peer.unref()
    else this.#peer.ref()
  }

  #fail(error: unknown): void {
    if (this.error !== undefined) return
    this.#begin()
    if (this.#isWithoutArena(error)) return
    this.error = error
    const reason = error instanceof Error ? error.message : String(error)
    process.emitWarning(`The recorder of a history has stopped: ${reason}`, { type: 'ForelockRecorderWarning', code: 'FORELOCK_RECORDER' })
  }

  /** Closed before it had begun: the arena may have gone with its governor, and nobody waits for what it would have written. */
  #isWithoutArena(error: unknown): boolean {
    return this.#stopped !== undefined && !this.#settled && error instanceof NotFoundError && error.resource === this.#arena
  }

  #end(how: string): void {
    this.#ended = true
    this.#unwatch?.()
    this.#state = { ...this.#state, status: { ...this.status, active: false } }
    if (this.#stopped === undefined && this.error === undefined) this.#fail(new Error(`its ${how}`))
    this.#begin()
    // Whoever wanted it to stop has what he wanted.
    this.#pending.get(this.#stopCall)?.resolve(undefined as never)
    for (const { reject } of this.#pending.values()) reject(this.#gone())
    this.#pending.clear()
    this.#exit()
  }
}

function startRecorder(where: 'process' | 'thread', start: RecorderStart, events: PeerEvents<FromRecorder>): Peer {
  const module = join(here, '..', 'history', `recorder-${where}`)
  if (where === 'thread') return threadPeer(startWriter(module, start), events)
  const peer = processPeer(startProcess(module), events)
  peer.post(start)
  return peer
}

/** A thread that has written what was told, and closed its store, before the process exits. */
function startWriter(module: string, start: RecorderStart): Worker {
  const end = newEnd()
  const worker = startThread(module, 'forelock recorder', { end, start })
  const stop: ToRecorder = { id: 0, call: 'stop' } // nobody asks by this id
  worker.once(
    'exit',
    waitAtExit(end, () => worker.postMessage(stop))
  )
  return worker
}

import { join } from 'node:path'
import type { Worker } from 'node:worker_threads'
import { ClosedError } from '../errors/index.js'
import { here } from '../native/here.js'
import type { Session } from '../session.js'
import { errorOf } from '../thread/plain-error.js'
import { arenaOf, startThread } from '../thread/start.js'
import { watchLoop } from './loop-delay.js'
import { type FromThread, type RecorderThread, Told, type ToThread } from './messages.js'
import type { StorePlace } from './place.js'
import type { Recorder, RecorderStatus } from './recorder.js'
import type { RecordingTerms } from './recording.js'
import { RemoteStore } from './remote-store.js'
import type { Health, HistoryStore, Recovered } from './store.js'

interface Pending {
  resolve(value: never): void
  reject(error: unknown): void
}

/** A recorder in a thread of its own, which opens the store, drains, decodes and writes. Here is only the way there. */
export class ThreadRecorder implements Recorder {
  readonly begun: Promise<void>
  readonly store: HistoryStore
  error: unknown = undefined
  recovered: Recovered | null = null
  readonly #worker: Worker
  readonly #numbers: Float64Array
  readonly #pending = new Map<number, Pending>()
  #degraded: Error | null = null
  #calls = 0
  #stopCall = 0
  #begin!: () => void
  /** it has begun, or waits to: until then the process waits for it */
  #settled = false
  readonly #host: boolean
  #unwatch: (() => void) | undefined
  #stopped: Promise<void> | undefined
  #ended = false

  constructor(session: Session, place: StorePlace, terms: RecordingTerms) {
    const told = new SharedArrayBuffer(Told.Length * Float64Array.BYTES_PER_ELEMENT)
    this.#numbers = new Float64Array(told)
    this.#numbers[Told.Delay] = Number.NaN
    this.#host = terms.host
    this.begun = new Promise(resolve => {
      this.#begin = resolve
    })
    this.store = new RemoteStore('duckdb' in place ? 'duckdb' : 'postgres', this)
    const data: RecorderThread = { arena: arenaOf(session), place, terms, told }
    this.#worker = startThread(join(here, '..', 'history', 'recorder-thread'), 'forelock recorder', data)
    this.#worker.on('message', (message: FromThread) => this.#hear(message))
    this.#worker.on('error', error => this.#fail(error))
    this.#worker.on('exit', code => this.#exit(code))
    session.leaving.push(() => this.stop())
  }

  get status(): RecorderStatus {
    const numbers = this.#numbers
    return {
      active: numbers[Told.Active] === 1,
      events: numbers[Told.Events],
      runs: numbers[Told.Runs],
      actions: numbers[Told.Actions],
      lost: numbers[Told.Lost]
    }
  }

  get health(): Health {
    return { degraded: this.#degraded, buffered: this.#numbers[Told.Buffered], dropped: this.#numbers[Told.Dropped] }
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
    const exited = new Promise<void>(resolve => this.#worker.once('exit', () => resolve()))
    const answer = this.#ask<void>(id => {
      this.#stopCall = id
      return { id, call: 'stop' }
    })
    await answer
    await exited
  }

  tell(message: ToThread): void {
    this.mustRun()
    // Nowhere to put rows: nobody may ever become the recorder who could write them.
    if (!this.status.active) throw new ClosedError('this recorder is not the one of its arena yet', { resource: undefined })
    this.#worker.postMessage(message)
  }

  ask<T>(message: (id: number) => ToThread): Promise<T> {
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

  #ask<T>(message: (id: number) => ToThread): Promise<T> {
    const id = ++this.#calls
    return new Promise<T>((resolve, reject) => {
      this.#pending.set(id, { resolve, reject })
      this.#keepAlive()
      this.#worker.postMessage(message(id))
    })
  }

  #hear(message: FromThread): void {
    if ('id' in message) {
      const pending = this.#pending.get(message.id)
      this.#pending.delete(message.id)
      if ('error' in message) pending?.reject(errorOf(message.error))
      else pending?.resolve(message.value as never)
    } else if (message.event === 'degraded') {
      this.#degraded = message.error === null ? null : errorOf(message.error)
    } else if (message.event === 'failed') {
      this.#fail(errorOf(message.error))
    } else {
      this.#settled = true
      if (message.event === 'begun') {
        this.recovered = message.recovered
        if (this.#host && this.#stopped === undefined) this.#unwatch = watchLoop(p99 => this.#tellDelay(p99))
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
    if (this.#settled && this.#pending.size === 0 && this.#stopped === undefined) this.#worker.unref()
    else this.#worker.ref()
  }

  #tellDelay(p99: number): void {
    this.#numbers[Told.Delay] = p99
  }

  #fail(error: unknown): void {
    if (this.error !== undefined) return
    this.error = error
    this.#begin()
    const reason = error instanceof Error ? error.message : String(error)
    process.emitWarning(`The recorder of a history has stopped: ${reason}`, { type: 'ForelockRecorderWarning', code: 'FORELOCK_RECORDER' })
  }

  #exit(code: number): void {
    this.#ended = true
    this.#unwatch?.()
    this.#numbers[Told.Active] = 0
    if (this.#stopped === undefined && this.error === undefined) this.#fail(new Error(`its thread ended with code ${code}`))
    this.#begin()
    // Whoever wanted it to stop has what he wanted.
    this.#pending.get(this.#stopCall)?.resolve(undefined as never)
    for (const { reject } of this.#pending.values()) reject(this.#gone())
    this.#pending.clear()
  }
}

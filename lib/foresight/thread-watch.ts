import { join } from 'node:path'
import type { Worker } from 'node:worker_threads'
import { ArgumentError, ClosedError } from '../errors/index.js'
import { here } from '../native/here.js'
import type { Session } from '../session.js'
import { errorOf } from '../thread/plain-error.js'
import { arenaOf, startThread } from '../thread/start.js'
import type { Question, Questions } from './answers.js'
import type { Backing, WatchEvents, WatchTerms } from './backing.js'
import type { FromWatch, ToWatch, WatchThread } from './messages.js'

/** @throws ArgumentError of what cannot be sent, such as a function: it would be refused there, too */
function post(worker: Worker, message: ToWatch): void {
  try {
    worker.postMessage(message)
  } catch (error) {
    if (!(error instanceof DOMException)) throw error
    throw new ArgumentError(
      `${message.call}() was given what it does not take: ${error.message}`,
      { option: message.call, given: message.args },
      error
    )
  }
}

interface Pending {
  resolve(value: never): void
  reject(error: unknown): void
}

/** Foresight in a thread of its own. Here is only the way there. */
export class ThreadWatch implements Backing {
  readonly #worker: Worker
  readonly #events: WatchEvents
  readonly #pending = new Map<number, Pending>()
  #calls = 0
  #error: unknown
  #ended = false
  #stopped: Promise<void> | undefined

  constructor(session: Session, terms: WatchTerms, events: WatchEvents) {
    this.#events = events
    const data: WatchThread = { arena: arenaOf(session), terms }
    this.#worker = startThread(join(here, '..', 'foresight', 'foresight-thread'), 'forelock foresight', data)
    this.#worker.on('message', (message: FromWatch) => this.#hear(message))
    this.#worker.on('error', error => this.#fail(error))
    this.#worker.on('exit', code => this.#exit(code))
    this.#keepAlive()
  }

  async ask<Q extends Question>(question: Q, ...args: Parameters<Questions[Q]>): Promise<Awaited<ReturnType<Questions[Q]>>> {
    if (this.#stopped !== undefined || this.#ended) throw this.#gone()
    return this.#send<Awaited<ReturnType<Questions[Q]>>>(question, args)
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#stop()
    return this.#stopped
  }

  async #stop(): Promise<void> {
    if (this.#ended) return
    this.#worker.ref()
    const exited = new Promise<void>(resolve => this.#worker.once('exit', () => resolve()))
    // Whoever wanted it to stop has what he wanted if it ends by itself meanwhile.
    await this.#send('stop', []).catch(error => {
      if (!this.#ended) throw error
    })
    await exited
  }

  #send<T>(call: ToWatch['call'], args: readonly unknown[]): Promise<T> {
    const id = ++this.#calls
    return new Promise<T>((resolve, reject) => {
      post(this.#worker, { id, call, args })
      this.#pending.set(id, { resolve, reject })
      this.#keepAlive()
    })
  }

  #hear(message: FromWatch): void {
    if ('id' in message) {
      const pending = this.#pending.get(message.id)
      this.#pending.delete(message.id)
      if ('error' in message) pending?.reject(errorOf(message.error))
      else pending?.resolve(message.value as never)
      this.#keepAlive()
    } else if (message.event === 'anomaly') {
      this.#events.anomaly(message.anomaly)
    } else if (message.event === 'sized') {
      this.#events.sized(message.record)
    } else {
      this.#fail(errorOf(message.error))
    }
  }

  /** Whoever waits for an answer is not left without one by the end of the process; foresight as such keeps none alive. */
  #keepAlive(): void {
    if (this.#pending.size === 0 && this.#stopped === undefined) this.#worker.unref()
    else this.#worker.ref()
  }

  #fail(error: unknown): void {
    if (this.#error !== undefined) return
    this.#error = error
    // An arena that was left before its thread had come is no failure.
    if (this.#stopped === undefined) this.#events.failed(error)
  }

  #exit(code: number): void {
    this.#ended = true
    if (this.#stopped === undefined && this.#error === undefined) this.#fail(new Error(`its thread ended with code ${code}`))
    for (const { reject } of this.#pending.values()) reject(this.#gone())
    this.#pending.clear()
  }

  #gone(): ClosedError {
    return new ClosedError('this foresight has stopped', { resource: undefined }, this.#error)
  }
}

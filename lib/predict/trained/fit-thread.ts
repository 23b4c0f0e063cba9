import { join } from 'node:path'
import type { Worker } from 'node:worker_threads'
import { LoadError } from '../../errors/index.js'
import { here } from '../../native/here.js'
import { startThread } from '../../thread/start.js'
import type { Fit, Fitted, FromFitThread } from './fits.js'

const MODULE = join(here, '..', 'predict', 'trained', 'thread')
/** ms for an engine to be loaded, on the slowest of machines. */
const LOADING_MS = 120_000
/** A recurrent net keeps its budget by itself, with what it has learnt until then; it is ended only if it does not. */
const PATIENCE_MS = 30_000

/** A fit that is under way. */
interface Pending {
  readonly worker: Worker
  readonly fit: Fit
  timer: NodeJS.Timeout
  resolve(value: Fitted[Fit['kind']]): void
  reject(error: unknown): void
}

/** Fits models in a thread of its own, one after the other. It keeps no process alive but while a fit is under way. */
export class FitThread {
  #worker: Worker | undefined
  #pending: Pending | undefined
  #last: Promise<unknown> = Promise.resolve()

  /**
   * Undefined: it cannot be fitted to these values, or not within its budget.
   *
   * @throws LoadError if the package is not installed
   */
  fit<T extends Fit>(fit: T): Promise<Fitted[T['kind']]> {
    const answer = this.#last.then(() => this.#run(fit))
    this.#last = answer.catch(() => undefined) // told to whoever asked for it
    return answer as Promise<Fitted[T['kind']]>
  }

  #run(fit: Fit): Promise<Fitted[Fit['kind']]> {
    this.#worker ??= this.#start()
    const worker = this.#worker
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.#end(worker), LOADING_MS)
      this.#pending = { worker, fit, timer, resolve, reject }
      worker.ref()
      worker.postMessage(fit)
    })
  }

  #start(): Worker {
    const worker = startThread(MODULE, 'forelock fits', undefined)
    worker.on('message', (message: FromFitThread) => this.#hear(worker, message))
    worker.on('error', error => this.#end(worker, error))
    worker.on('exit', code => this.#end(worker, new Error(`the thread of a fit ended with code ${code}`)))
    return worker
  }

  #hear(worker: Worker, message: FromFitThread): void {
    const pending = this.#pending
    // It may have been given up between.
    if (pending?.worker !== worker) return
    if (message.event === 'begun') {
      const { budget, kind } = pending.fit
      clearTimeout(pending.timer)
      pending.timer = setTimeout(() => this.#end(worker), budget + (kind === 'recurrent' ? PATIENCE_MS : 0))
    } else if (message.event === 'trapped') {
      this.#end(worker)
    } else {
      this.#settle()
      worker.unref()
      if (message.event === 'fitted') pending.resolve(message.value)
      else pending.reject(errorOf(message))
    }
  }

  /** Nothing more is asked of a thread that is late or broken. */
  #end(worker: Worker, error?: unknown): void {
    if (this.#worker === worker) this.#worker = undefined
    void worker.terminate()
    const pending = this.#pending
    if (pending?.worker !== worker) return
    this.#settle()
    if (error === undefined) pending.resolve(undefined)
    else pending.reject(error)
  }

  #settle(): void {
    clearTimeout(this.#pending?.timer)
    this.#pending = undefined
  }
}

function errorOf({ name, message, needs }: Extract<FromFitThread, { event: 'failed' }>): Error {
  if (needs === undefined) return Object.assign(new Error(message), { name })
  return new LoadError(message, { attempts: [{ from: needs, error: undefined }], remedies: [`npm install ${needs}`] })
}

/** The one of this process: fits are many, cores are few, and each engine takes some 100 MB. */
export const fitThread = new FitThread()

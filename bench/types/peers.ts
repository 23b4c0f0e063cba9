import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { isMainThread, type MessagePort, parentPort, Worker } from 'node:worker_threads'
import type { Job } from './kind.js'

const CHILD = fileURLToPath(new URL('../child.js', import.meta.url))

/** The other thread or process of a trial: messages both ways, and its end. */
export interface Helper {
  readonly pid: number
  /** with ports that go over to a worker */
  send(message: unknown, ports?: readonly MessagePort[]): void
  /** the next message; rejected if the helper ends before */
  next(): Promise<unknown>
  /** lets it end and waits for that */
  stop(): Promise<void>
}

export function startHelper(job: Job, thread: 'process' | 'worker' = 'process'): Helper {
  return thread === 'process' ? processHelper(job) : workerHelper(job)
}

function processHelper(job: Job): Helper {
  const child: ChildProcess = fork(CHILD, [JSON.stringify(job)])
  const ended = once(child, 'exit').then(([code, signal]) => `a helper ended with ${signal ?? code}`)
  return {
    pid: child.pid ?? 0,
    send: message => child.send(message as object),
    next: () => nextOf(once(child, 'message'), ended),
    async stop() {
      if (child.connected) child.disconnect()
      await ended
    }
  }
}

function workerHelper(job: Job): Helper {
  const worker = new Worker(CHILD, { argv: [JSON.stringify(job)] })
  const ended = once(worker, 'exit').then(([code]) => `a helper ended with ${code}`)
  return {
    pid: process.pid,
    send: (message, ports) => worker.postMessage(message, ports),
    next: () => nextOf(once(worker, 'message'), ended),
    async stop() {
      worker.postMessage(STOP)
      await ended
    }
  }
}

async function nextOf(message: Promise<unknown[]>, ended: Promise<string>): Promise<unknown> {
  const first = await Promise.race([message, ended])
  if (typeof first === 'string') throw new Error(first)
  return first[0]
}

const STOP = 'stop'

/** The same from the inside of a helper. */
export interface Starter {
  send(message: unknown): void
  /** calls back for each message */
  listen(receive: (message: unknown) => void): void
  /** settles when the starter wants no more */
  stopped: Promise<void>
}

export function myStarter(): Starter {
  return isMainThread ? starterProcess() : starterThread()
}

function starterProcess(): Starter {
  return {
    send: message => process.send?.(message),
    listen: receive => process.on('message', receive),
    stopped: once(process, 'disconnect').then(() => {})
  }
}

function starterThread(): Starter {
  const port = parentPort
  if (port === null) throw new Error('not a worker')
  const stopped = new Promise<void>(resolve => {
    port.on('message', message => {
      if (message !== STOP) return
      port.unref()
      resolve()
    })
  })
  return {
    send: message => port.postMessage(message),
    listen: receive => port.on('message', message => message !== STOP && receive(message)),
    stopped
  }
}

import type { ChildProcess, Serializable } from 'node:child_process'
import type { Worker } from 'node:worker_threads'

/** A thread or process of the library's own, as seen from where it was started. */
export interface Peer {
  /** of the process that it is, or is a thread of; undefined if that could not be started */
  readonly pid: number | undefined
  /** @throws what cannot be sent, as functions */
  post(message: object): void
  /** the caller's process waits for it, as it does from the start */
  ref(): void
  unref(): void
}

export interface PeerEvents<Message> {
  message(message: Message): void
  /** it could not be started, or an exception ended it */
  failed(error: unknown): void
  /** Once, after everything else. @param how in words: `thread ended with code 1` */
  ended(how: string): void
}

export function threadPeer<Message>(worker: Worker, events: PeerEvents<Message>): Peer {
  worker.on('message', message => events.message(message))
  worker.on('error', error => events.failed(error))
  worker.on('exit', code => events.ended(`thread ended with code ${code}`))
  return { pid: process.pid, post: message => worker.postMessage(message), ref: () => worker.ref(), unref: () => worker.unref() }
}

export function processPeer<Message>(child: ChildProcess, events: PeerEvents<Message>): Peer {
  let how: string | undefined
  let isHeard = false
  let isOver = false
  // Its last messages may come after its exit is known.
  const end = () => {
    if (isOver || how === undefined || !isHeard) return
    isOver = true
    events.ended(how)
  }
  child.on('message', message => events.message(message as Message))
  child.on('exit', (code, signal) => {
    how = `process ended ${signal === null ? `with code ${code}` : `by ${signal}`}`
    end()
  })
  child.on('disconnect', () => {
    isHeard = true
    end()
  })
  child.on('error', error => {
    events.failed(error)
    if (child.pid !== undefined) return
    how = 'process did not start'
    isHeard = true
    end()
  })
  return {
    pid: child.pid,
    // One that has ended is not told; that it has is told by itself.
    post: message => void child.send(message as Serializable, () => {}),
    ref() {
      child.ref()
      child.channel?.ref()
    },
    unref() {
      child.unref()
      child.channel?.unref()
    }
  }
}

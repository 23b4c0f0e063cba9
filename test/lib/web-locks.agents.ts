import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import type { OpenOptions } from '../../lib/index.js'
import type { LockManagerSnapshot, LockOptions } from '../../lib/web-locks.js'

const SCRIPT = new URL('./web-locks.agent.mjs', import.meta.url)

interface Message {
  readonly id: number
  readonly event: 'ready' | 'requested' | 'called' | 'resolved' | 'rejected' | 'snapshot'
  readonly client?: string
  readonly lock?: { name: string; mode: string } | null
  readonly value?: unknown
  readonly error?: string
  readonly snapshot?: LockManagerSnapshot
}

/** A request that an agent made. Each promise resolves when the agent has reported the event. */
export interface AgentRequest {
  readonly called: Promise<Message>
  readonly resolved: Promise<Message>
  readonly rejected: Promise<Message>
  release(value?: unknown): void
}

/** Another environment, a worker thread or a process, that requests locks of an arena as it is told. */
export class Agent {
  client = ''
  private ids = 0
  private readonly waiting = new Map<string, (message: Message) => void>()
  private readonly early = new Map<string, Message>()

  private constructor(
    private readonly post: (message: object) => void,
    /** ends it without any farewell: terminate() or SIGKILL */
    readonly kill: () => Promise<unknown>
  ) {}

  static async thread(options: OpenOptions): Promise<Agent> {
    const worker = new Worker(SCRIPT, { workerData: options })
    const agent = new Agent(
      message => worker.postMessage(message),
      () => worker.terminate()
    )
    worker.on('message', message => agent.receive(message))
    return agent.ready(new Promise((_, reject) => worker.once('error', reject)))
  }

  static async process(options: OpenOptions): Promise<Agent> {
    const child: ChildProcess = fork(fileURLToPath(SCRIPT), [JSON.stringify(options)], { execArgv: [] })
    const exited = once(child, 'exit')
    const agent = new Agent(
      message => child.send(message),
      () => {
        child.kill('SIGKILL')
        return exited
      }
    )
    child.on('message', message => agent.receive(message as Message))
    return agent.ready(exited.then(([code, signal]) => Promise.reject(new Error(`the agent ended: ${code ?? signal}`))))
  }

  /** Resolves when the request is in the queue, or granted. */
  async request(name: string, options: Omit<LockOptions, 'signal'> = {}): Promise<AgentRequest> {
    const id = ++this.ids
    this.post({ op: 'request', id, name, options })
    await this.event(id, 'requested')
    return {
      called: this.event(id, 'called'),
      resolved: this.event(id, 'resolved'),
      rejected: this.event(id, 'rejected'),
      release: value => this.post({ op: 'release', id, value })
    }
  }

  /** A request whose callback has been called with the lock. */
  async hold(name: string, options: Omit<LockOptions, 'signal'> = {}): Promise<AgentRequest> {
    const request = await this.request(name, options)
    await request.called
    return request
  }

  async query(): Promise<LockManagerSnapshot> {
    const id = ++this.ids
    this.post({ op: 'query', id })
    return (await this.event(id, 'snapshot')).snapshot as LockManagerSnapshot
  }

  private async ready(failed: Promise<unknown>): Promise<Agent> {
    failed.catch(() => {}) // once it is ready its end is the test's own doing
    const { client } = (await Promise.race([this.event(0, 'ready'), failed])) as Message
    this.client = client as string
    return this
  }

  private event(id: number, event: Message['event']): Promise<Message> {
    const key = `${id} ${event}`
    const early = this.early.get(key)
    if (early !== undefined) return Promise.resolve(early)
    return new Promise(resolve => this.waiting.set(key, resolve))
  }

  private receive(message: Message): void {
    const key = `${message.id} ${message.event}`
    const waiting = this.waiting.get(key)
    if (waiting === undefined) this.early.set(key, message)
    else waiting(message)
  }
}

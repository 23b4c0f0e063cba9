import { fork } from 'node:child_process'
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import type { AcquireOptions, AllocateOptions, AmountsByName, OpenOptions, Taken, WaitOptions } from '../../lib/index.js'

const SCRIPT = new URL('./agent-entry.mjs', import.meta.url)

export interface Command {
  readonly id: number
  readonly verb:
    | 'acquire'
    | 'tryAcquire'
    | 'acquireWithin'
    | 'acquireAll'
    | 'tryTake'
    | 'take'
    | 'allocate'
    | 'release'
    | 'lost'
    | 'block'
    | 'observe'
    | 'close'
    | 'exit'
    | 'push'
    | 'takeItem'
    | 'ack'
    | 'record'
    | 'runs'
    | 'stay'
    | 'goOn'
    | 'profile'
  readonly name: string
  readonly options?: AcquireOptions | WaitOptions | AllocateOptions | undefined
  /** tokens */
  readonly n?: number | undefined
  readonly amounts?: AmountsByName | undefined
  /** the id of the command that made the grant */
  readonly of?: number | undefined
  readonly ms?: number | undefined
  /** of a record; of runs, their tenant */
  readonly text?: string | undefined
}

export interface Reply {
  readonly id: number
  readonly event: 'begun' | 'done' | 'failed'
  readonly value?: unknown
  readonly code?: string
}

export interface Granted {
  readonly token: bigint
  readonly ownerDied: boolean
}

export interface TakenItem {
  readonly text: string
  readonly attempt: number
}

/** What an agent was told to do. */
export interface Task<T> {
  readonly id: number
  /** the call was made: it has its place in the queue */
  readonly begun: Promise<unknown>
  /** rejected with the code of the error */
  readonly done: Promise<T>
}

interface Pending {
  begun(value: unknown): void
  done(value: unknown): void
  failed(code: unknown): void
}

/** Another environment with the arena open, that does what it is told. */
export class Agent {
  client = ''
  private ids = 0
  private readonly pending = new Map<number, Pending>()

  private constructor(
    private readonly post: (command: Command) => void,
    /** ends it without farewell: SIGKILL, or terminate() of a thread */
    readonly kill: () => Promise<unknown>,
    readonly pid: number,
    /** resolves when it has ended by itself or otherwise */
    readonly exited: Promise<unknown>
  ) {}

  static async process(options: OpenOptions): Promise<Agent> {
    const child = fork(SCRIPT, [JSON.stringify(options)], { execArgv: [], serialization: 'advanced' })
    const exited = once(child, 'exit')
    const kill = () => {
      child.kill('SIGKILL')
      return exited
    }
    const agent = new Agent(command => child.send(command), kill, child.pid as number, exited)
    child.on('message', reply => agent.receive(reply as Reply))
    return agent.start()
  }

  static async thread(options: OpenOptions): Promise<Agent> {
    const worker = new Worker(SCRIPT, { workerData: options, execArgv: [] })
    const exited = once(worker, 'exit')
    const agent = new Agent(
      command => worker.postMessage(command),
      () => worker.terminate(),
      process.pid,
      exited
    )
    worker.on('message', reply => agent.receive(reply as Reply))
    return agent.start()
  }

  acquire(name: string, options?: AcquireOptions): Task<Granted> {
    return this.tell({ verb: 'acquire', name, options })
  }

  tryAcquire(name: string, options?: AcquireOptions): Task<Granted | null> {
    return this.tell({ verb: 'tryAcquire', name, options })
  }

  acquireWithin(of: Task<unknown>, name: string, options?: AcquireOptions): Task<Granted> {
    return this.tell({ verb: 'acquireWithin', name, options, of: of.id })
  }

  acquireAll(...names: string[]): Task<unknown> {
    return this.tell({ verb: 'acquireAll', name: names.join(' ') })
  }

  tryTake(bucket: string, n: number): Task<Taken> {
    return this.tell({ verb: 'tryTake', name: bucket, n })
  }

  take(bucket: string, n: number, options?: WaitOptions): Task<Taken> {
    return this.tell({ verb: 'take', name: bucket, n, options })
  }

  /** Done once it is the recorder of the arena: of a store in memory, or of a file. Tells the process that records. */
  record(file = ''): Task<number> {
    return this.tell({ verb: 'record', name: file })
  }

  /** Runs a workflow `n` times, with a lock and an action each. */
  runs(workflow: string, n: number, tenant?: string): Task<void> {
    return this.tell({ verb: 'runs', name: workflow, n, text: tenant })
  }

  /** Runs a workflow with two actions, `step` and then `wait`, in which it holds a lock. Done when it is there; it stays until it may go on. */
  stay(workflow: string, tenant?: string): Task<string> {
    return this.tell({ verb: 'stay', name: workflow, text: tenant })
  }

  /** Done when that run is over. */
  goOn(of: Task<unknown>): Task<void> {
    return this.tell({ verb: 'goOn', of: of.id })
  }

  /** Of how many runs its profile of a workflow is made. */
  profile(workflow: string): Task<number> {
    return this.tell({ verb: 'profile', name: workflow })
  }

  /** Done with what the allocation holds; released like a lock. */
  allocate(pool: string, amounts: AmountsByName, options?: AllocateOptions): Task<AmountsByName> {
    return this.tell({ verb: 'allocate', name: pool, amounts, options })
  }

  release(of: Task<unknown>): Task<boolean> {
    return this.tell({ verb: 'release', of: of.id })
  }

  /** Done when the signal of the grant aborts, with the code of the reason. */
  lost(of: Task<unknown>): Task<string> {
    return this.tell({ verb: 'lost', of: of.id })
  }

  /** Blocks its event loop. */
  block(ms: number): Task<unknown> {
    return this.tell({ verb: 'block', ms })
  }

  push(name: string, text: string): Task<unknown> {
    return this.tell({ verb: 'push', name, text })
  }

  takeItem(queue: string): Task<TakenItem> {
    return this.tell({ verb: 'takeItem', name: queue })
  }

  /** Acknowledges what was taken. */
  ack(of: Task<unknown>): Task<boolean> {
    return this.tell({ verb: 'ack', of: of.id })
  }

  /** Attaches to the telemetry of the arena. */
  observe(): Task<unknown> {
    return this.tell({ verb: 'observe' })
  }

  close(): Task<unknown> {
    return this.tell({ verb: 'close' })
  }

  exit(): Promise<unknown> {
    this.tell({ verb: 'exit' })
    return this.exited
  }

  private async start(): Promise<Agent> {
    const ready = new Promise(done => this.pending.set(0, { begun() {}, done, failed: done }))
    const client = await Promise.race([ready, this.exited.then(() => Promise.reject(new Error('the agent ended before it was ready')))])
    this.client = String(client)
    return this
  }

  private tell<T>(command: Omit<Command, 'id' | 'name'> & { name?: string }): Task<T> {
    const id = ++this.ids
    let begun!: (value: unknown) => void
    const started = new Promise(resolve => {
      begun = resolve
    })
    const done = new Promise<unknown>((done, failed) => this.pending.set(id, { begun, done, failed }))
    // Whoever cares awaits it; a killed agent never answers.
    done.catch(() => {})
    this.post({ name: '', ...command, id })
    return { id, begun: started, done: done as Promise<T> }
  }

  private receive({ id, event, value, code }: Reply): void {
    const pending = this.pending.get(id)
    if (event === 'begun') pending?.begun(value)
    else if (event === 'done') pending?.done(value)
    else pending?.failed(code)
  }
}

import type { End } from '../../../lib/allocation.js'
import { AdaptiveLimit } from '../../../lib/limit/adaptive.js'
import { type AdaptOptions, readAdaptOptions } from '../../../lib/limit/options.js'
import type { AdaptReport } from '../../../lib/limit/report.js'

/** Random numbers from 0 to below 1 that are the same each time (Marsaglia's xorshift, 32 bits). */
export function seeded(seed: number): () => number {
  let state = seed | 0 || 1
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) / 2 ** 32
  }
}

/** A server with so many workers and one queue in front of them: with more in flight than workers, latency grows and throughput does not. */
export interface Server {
  /** its knee */
  workers: number
  /** ms of work, the mean; each is 0.8 to 1.2 times that */
  serviceMs: number
  /** ms after which a caller gives up: a drop */
  patienceMs: number
}

interface Running {
  readonly startNs: number
  readonly endNs: number
  readonly inFlight: number
  readonly how: End
}

/** Callers behind a gate of permits, before a server, on a clock of their own: each caller begins again when it has ended. */
export class Simulation {
  readonly server: Server
  readonly adaptive: AdaptiveLimit
  readonly applied: number[] = []
  permits: number
  /** how many callers there are */
  callers: number
  now = 0
  completed = 0
  private readonly random = seeded(7)
  private readonly busyUntil: number[] = []
  private readonly running: Running[] = []

  constructor(server: Partial<Server>, { permits, callers }: { permits: number; callers: number }, options: AdaptOptions) {
    this.server = { workers: 10, serviceMs: 500, patienceMs: Number.POSITIVE_INFINITY, ...server }
    this.permits = permits
    this.callers = callers
    this.adaptive = new AdaptiveLimit(readAdaptOptions(options, permits), {
      now: () => this.now,
      random: seeded(11),
      current: () => this.permits,
      apply: limit => {
        this.applied.push(limit)
        this.permits = limit
      }
    })
  }

  get report(): AdaptReport {
    return this.adaptive.report()
  }

  get inFlight(): number {
    return this.running.length
  }

  /** Goes on for so long; `each` is called after each window with the report. */
  run(seconds: number, each?: (report: AdaptReport) => void): this {
    const endNs = this.now + seconds * 1e9
    let { windows } = this.report
    this.fill()
    while (this.now < endNs && this.running.length > 0) {
      const next = this.takeNext()
      this.now = next.endNs
      this.completed++
      this.adaptive.ended(next.how, next.startNs, next.inFlight)
      this.fill()
      if (each === undefined) continue
      const report = this.report
      if (report.windows !== windows) each(report)
      windows = report.windows
    }
    return this
  }

  /** The mean of the proposed limit over so many seconds. */
  mean(seconds: number): number {
    let sum = 0
    let windows = 0
    this.run(seconds, ({ proposed }) => {
      sum += proposed
      windows++
    })
    return sum / windows
  }

  private takeNext(): Running {
    const { running } = this
    let next = 0
    for (let i = 1; i < running.length; i++) if ((running[i] as Running).endNs < (running[next] as Running).endNs) next = i
    const job = running[next] as Running
    running[next] = running[running.length - 1] as Running
    running.pop()
    return job
  }

  private fill(): void {
    while (this.running.length < Math.min(this.permits, this.callers)) this.running.push(this.begin())
  }

  private begin(): Running {
    const { workers, serviceMs, patienceMs } = this.server
    const worker = this.freest(workers)
    const startNs = this.now
    const beginNs = Math.max(startNs, this.busyUntil[worker] ?? 0)
    const inFlight = this.running.length + 1
    const patientUntil = startNs + patienceMs * 1e6
    const endNs = beginNs + serviceMs * (0.8 + 0.4 * this.random()) * 1e6
    this.busyUntil[worker] = endNs
    return endNs > patientUntil ? { startNs, endNs: patientUntil, inFlight, how: 'drop' } : { startNs, endNs, inFlight, how: 'success' }
  }

  private freest(workers: number): number {
    let freest = 0
    for (let i = 1; i < workers; i++) if ((this.busyUntil[i] ?? 0) < (this.busyUntil[freest] ?? 0)) freest = i
    return freest
  }
}

import type { Connect, Operation } from './driver.js'
import { busy, idle, type Step } from './run3.js'

interface Metric {
  inc(labels: { action: string }, value: number): void
  observe(labels: { action: string }, value: number): void
}
interface PromClient {
  Counter: new (options: { name: string; help: string; labelNames: string[] }) => Metric
  Histogram: new (options: { name: string; help: string; labelNames: string[] }) => Metric
}

/** What its users write around an action to know what it took: wall time in a histogram, CPU time of the process in a counter. */
export const connect: Connect = async () => {
  const { default: prom } = (await import('prom-client' as string)) as { default: PromClient }
  const labelNames = ['action']
  const seconds = new prom.Histogram({ name: 'action_seconds', help: 'wall time', labelNames })
  const cpu = new prom.Counter({ name: 'action_cpu_seconds', help: 'CPU time', labelNames })
  const labels = { action: 'decode' }

  async function metered(action: string, work: Step): Promise<void> {
    const before = process.cpuUsage()
    const from = process.hrtime()
    try {
      await work()
    } finally {
      const [s, ns] = process.hrtime(from)
      const { user, system } = process.cpuUsage(before)
      seconds.observe({ action }, s + ns / 1e9)
      cpu.inc({ action }, (user + system) / 1e6)
    }
  }

  const runs =
    (step: Step): Operation =>
    async n => {
      let done = 0
      for (let i = 0; i < n; i++) {
        await metered('run', async () => {
          await metered('a', step)
          await metered('b', step)
          await metered('c', step)
        })
        done++
      }
      return done
    }

  return {
    run3: runs(idle),
    run3Apart: runs(busy),
    meterAction(n) {
      let done = 0
      for (let i = 0; i < n; i++) {
        const before = process.cpuUsage()
        const from = process.hrtime()
        const [s, ns] = process.hrtime(from)
        const { user, system } = process.cpuUsage(before)
        seconds.observe(labels, s + ns / 1e9)
        cpu.inc(labels, (user + system) / 1e6)
        done++
      }
      return done
    },
    close() {}
  }
}

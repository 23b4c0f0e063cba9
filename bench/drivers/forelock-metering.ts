import type * as Forelock from '../../lib/index.js'
import type { Connect, Operation } from './driver.js'
import { arenaOf, load } from './forelock.js'
import { interleaved } from './interleaved.js'
import { busy, idle, type Step } from './run3.js'

type Scope = ConstructorParameters<typeof Forelock.Meter>[0]
type Level = 'time' | 'all'

export const connect: Connect = async setting => {
  const { Meter, usageBetween } = await load(setting)
  const meters: Forelock.Meter[] = []

  const open = (scope: Scope, level: Level) => {
    const meter = new Meter(scope, { level })
    meters.push(meter)
    return meter
  }

  /** Opened when asked for: not every machine lets everybody see all of them. */
  const readings = (scope: Scope, level: Level): Operation => {
    let meter: Forelock.Meter | undefined
    const buffer = new Float64Array(32)
    return n => {
      meter ??= open(scope, level)
      let done = 0
      for (let i = 0; i < n; i++) {
        meter.read(buffer, 0)
        if (buffer[0] > 0) done++
      }
      return done
    }
  }

  const metered = (level: Level): Operation => {
    let meter: Forelock.Meter | undefined
    const buffer = new Float64Array(32)
    return n => {
      meter ??= open('thread', level)
      let done = 0
      for (let i = 0; i < n; i++) {
        meter.read(buffer, 0)
        meter.read(buffer, meter.length)
        if (usageBetween(meter, buffer, 0, meter.length).wall > 0) done++
      }
      return done
    }
  }

  return {
    readThread: readings('thread', 'time'),
    readThreadAll: readings('thread', 'all'),
    readProcess: readings('process', 'time'),
    readProcessAll: readings('process', 'all'),
    readOther: readings({ pid: process.ppid }, 'time'),
    readOtherAll: readings({ pid: process.ppid }, 'all'),
    readCgroupAll: readings({ cgroup: '/' }, 'all'),
    readHostAll: readings('host', 'all'),
    meterAction: metered('time'),
    close() {
      for (const meter of meters) meter.close()
    }
  }
}

/** Runs of a workflow, each with three actions. */
export const runs: Connect = async setting => {
  const { open } = await load(setting)
  const gov = open(arenaOf(setting))
  const runsOf = (name: string, metering: Forelock.MeteringOptions, step: Step): Operation => {
    const workflow = gov.workflow(name, { metering })
    const work = async (run: Forelock.Run) => {
      await run.action('a', step)
      await run.action('b', step)
      await run.action('c', step)
    }
    return async n => {
      let done = 0
      for (let i = 0; i < n; i++) {
        await workflow.run(work)
        done++
      }
      return done
    }
  }
  let async3: Operation | undefined
  return {
    run3: runsOf('run3', { level: 'time' }, idle),
    run3All: runsOf('run3All', { level: 'all' }, idle),
    run3Async: n => {
      // Not before: from then on Node calls two hooks for every continuation.
      async3 ??= runsOf('run3Async', { scope: 'async' }, idle)
      return async3(n)
    },
    run3Apart: runsOf('run3Apart', { level: 'time' }, busy),
    close: () => gov.close()
  }
}

/** Continuations whose CPU time is booked to their two owners. */
export const attributed: Connect = async setting => {
  const { Attribution } = await load(setting)
  const attribution = new Attribution<string>()
  const notes: Record<string, number> = {}
  let last = 0
  return {
    async continuations(n) {
      last = n
      const [a, b] = ['a', 'b'].map(owner => attribution.run(owner, () => interleaved(n / 2)))
      return (await a) + (await b)
    },
    notes() {
      if (last > 0) notes['slices of an owner'] = attribution.slices('a')
      return notes
    },
    close: () => attribution.close()
  }
}

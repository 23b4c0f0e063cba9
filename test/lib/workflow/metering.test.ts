import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { type Governor, type MeteringOptions, open, type Run, type RunRecord, type Usage, type UsageCurve } from '../../../lib/index.js'
import { Burner, burnThread as burn, cpuOfThread } from '../metering/support.js'
import { isCoded, macrotask, rejection, thrown, virtual } from '../support.js'

/** What a boundary of an action may be off by, for it may share the reading of another. */
const TICK_MS = 0.005

async function recordOf(gov: Governor, metering: MeteringOptions, fn: (run: Run) => unknown): Promise<RunRecord> {
  const workflow = gov.workflow('w', { metering })
  const told = new Promise<RunRecord>(resolve => workflow.once('run', resolve))
  await workflow.run(fn)
  return told
}

async function governed(body: (gov: Governor) => Promise<unknown>): Promise<void> {
  const gov = open({ fresh: true })
  try {
    await body(gov)
  } finally {
    await gov.close()
  }
}

test('a run and its actions say how long they took and what CPU time they used, and neighbours leave nothing out', () =>
  governed(async gov => {
    const { usage, duration, actions } = await recordOf(gov, {}, async run => {
      for (const ms of [4, 9, 0]) await run.action(`${ms} ms`, () => burn(ms))
    })
    const cpu = actions.map(action => action.usage.cpu as number)
    assert.ok((cpu[0] as number) >= 4 - TICK_MS && (cpu[1] as number) >= 9 - TICK_MS, `${cpu}`)
    const sum = cpu.reduce((a, b) => a + b)
    assert.ok(sum <= (usage.cpu as number) + actions.length * TICK_MS, `${sum} of ${usage.cpu}`)
    assert.ok((usage.cpu as number) <= duration + TICK_MS)
    assert.equal(
      actions.map(action => action.duration),
      actions.map(action => action.usage.wall)
    )
    assert.is(usage.wall, duration)
  }))

test('where only runs are metered, an action has its duration and no usage', () =>
  governed(async gov => {
    const { usage, actions } = await recordOf(gov, { per: 'run', level: 'all' }, run => run.action('burn', () => burn(3)))
    assert.ok((usage.cpu as number) >= 3 - TICK_MS)
    assert.type(usage.pageFaults, 'number')
    assert.equal(actions[0]?.usage, {})
    assert.ok((actions[0]?.duration as number) >= 3)
  }))

test('a run that is sampled has a curve of its use, which ends where it ends', async () => {
  const gov = virtual()
  const { curve, duration } = await recordOf(gov, { scope: 'process', level: 'all', every: 10 }, async () => {
    burn(4)
    gov.advance(10)
    burn(6)
    gov.advance(25)
    gov.advance(1)
  })
  assert.equal(curve?.times, [10, 35, 36])
  const [first, second, last] = (curve as UsageCurve).cpu as number[]
  assert.ok(first >= 4 && second >= first + 6 && last >= second, `${curve?.cpu}`)
  assert.ok(curve?.memory?.every(bytes => bytes > 1e6))
  assert.is(duration, 36)
  await gov.close()
})

test('what is not measured has no column in the curve', async () => {
  const gov = virtual()
  const { curve } = await recordOf(gov, { every: 10 }, async () => gov.advance(10))
  assert.equal(Object.keys(curve ?? {}), ['times', 'cpu'])
  await gov.close()
})

test('a workflow says how each value of its runs is measured', () =>
  governed(async gov => {
    const methods = (metering: MeteringOptions | false) => gov.workflow('w', { metering }).methods
    assert.equal(methods({}), { wall: 'CLOCK_MONOTONIC', cpu: 'CLOCK_THREAD_CPUTIME_ID' })
    assert.match(methods({ scope: 'async' }).cpu as string, /CLOCK_THREAD_CPUTIME_ID.*async_hooks/)
    assert.equal(methods(false), {})
    const { usage } = await recordOf(gov, { scope: 'process', level: 'all' }, () => burn(1))
    const said = methods({ scope: 'process', level: 'all' })
    for (const field of Object.keys(usage) as (keyof Usage)[]) assert.ok(said[field], `${field} is measured, and nobody says how`)
    const closed = gov.workflow('w')
    await gov.close()
    isCoded(
      thrown(() => closed.methods),
      'ERR_FORELOCK_CLOSED'
    )
  }))

test('a long run has a curve of no more points, still evenly apart', async () => {
  const gov = virtual()
  const { curve } = await recordOf(gov, { every: 1 }, async () => {
    for (let i = 0; i < 1000; i++) gov.advance(1)
  })
  const { times } = curve as { times: number[] }
  assert.ok(times.length > 30 && times.length <= 64, `${times.length}`)
  const gaps = new Set(times.slice(1, -1).map((time, i) => time - (times[i] as number)))
  assert.equal([...gaps], [16])
  assert.is(times.at(-1), 1000)
  await gov.close()
})

test('runs that are sampled share one timer, and none is left when they are over', async () => {
  const gov = virtual()
  const workflow = gov.workflow('w', { metering: { every: 10 } })
  const curves: unknown[] = []
  workflow.on('run', ({ curve }) => curves.push(curve?.times))
  const ends: (() => void)[] = []
  const runs = [0, 4].map(later => {
    gov.advance(later)
    return workflow.run(() => new Promise<void>(resolve => ends.push(resolve)))
  })
  gov.advance(6)
  gov.advance(4)
  for (const end of ends) end()
  await Promise.all(runs)
  await macrotask()
  assert.equal(curves, [[10, 14], [10]])
  await gov.close()
})

test('what runs use that take turns in one thread is told apart where it is asked for', () =>
  governed(async gov => {
    const workflow = gov.workflow('w', { metering: { scope: 'async' } })
    const records = new Map<unknown, RunRecord>()
    workflow.on('run', record => records.set(record.client, record))
    const burner = new Burner()
    const turns = (ms: number) => async (run: Run) => {
      const burnt = { within: 0, between: 0 }
      for (let i = 0; i < 6; i++) {
        await run.action('turn', async () => {
          burnt.within += burner.burn(ms)
          await macrotask()
          burnt.within += burner.burn(ms)
        })
        burnt.between += burner.burn(ms)
        await macrotask()
      }
      return burnt
    }
    const [a, b] = await Promise.all([workflow.run({ client: 'a' }, turns(1)), workflow.run({ client: 'b' }, turns(3))])
    await macrotask()
    const { besides } = burner
    for (const [client, { within, between }] of Object.entries({ a, b })) {
      const { usage, actions } = records.get(client) as RunRecord
      const near = (cpu: number, burnt: number) =>
        assert.ok(
          cpu >= burnt - actions.length * TICK_MS && cpu <= burnt + besides + actions.length * TICK_MS,
          `${cpu}, not ${burnt}, ${besides} besides`
        )
      near(usage.cpu as number, within + between)
      near(
        actions.reduce((sum, action) => sum + (action.usage.cpu as number), 0),
        within
      )
    }
  }))

test('a run within a run is part of what the outer one used, also in its own context', () =>
  governed(async gov => {
    const inner = gov.workflow('inner', { metering: { scope: 'async' } })
    const burner = new Burner()
    let burnt = 0
    const { usage } = await recordOf(gov, { scope: 'async' }, async run => {
      burnt = burner.burn(2)
      burnt += await inner.run({ within: run }, () => burner.burn(5))
    })
    const most = burnt + burner.besides
    assert.ok((usage.cpu as number) >= burnt - TICK_MS && (usage.cpu as number) <= most + TICK_MS, `${usage.cpu}, not ${burnt} to ${most}`)
  }))

/** Burns so many ms of CPU time and ends when its input does. */
function busy(ms: number) {
  const script = `while (process.cpuUsage().user + process.cpuUsage().system < ${ms * 1e3}) {}; process.stdout.write('done'); process.stdin.resume()`
  return spawn(process.execPath, ['-e', script])
}

/** Lets a busy child end; ms of CPU time that it used, once Node has waited for it too. */
async function useOf(work: Pick<Run, 'child'>, child: ReturnType<typeof busy>): Promise<number> {
  const ended = work.child(child)
  child.stdin.end()
  const { cpu } = await ended
  await macrotask()
  return cpu as number
}

/** What a child used is in what was booked, once, with no more than this thread used itself since then. */
function hasOnce(cpu: number | undefined, used: number, since: number): void {
  const most = used + cpuOfThread() - since
  assert.ok((cpu as number) >= used - TICK_MS && (cpu as number) <= most, `${cpu}, not ${used} to ${most}`)
}

test('what a child process used is booked to the action that it was told of, and to its run', () =>
  governed(async gov => {
    let used = 0
    const since = cpuOfThread()
    const { usage, actions } = await recordOf(gov, { level: 'all' }, async run => {
      await run.action('quiet', () => undefined)
      await run.action('child', async action => {
        used = await useOf(action, busy(200))
      })
    })
    assert.ok(used >= 200)
    const [quiet, busier] = actions.map(action => action.usage)
    assert.ok((quiet?.cpu as number) <= cpuOfThread() - since)
    hasOnce(busier?.cpu, used, since)
    hasOnce(usage.cpu, used, since)
    assert.ok((usage.memoryPeak as number) > 1e6)
    assert.ok((usage.wall as number) < 60_000)
  }))

test('of a child that outlives its run, what it used until then is booked', () =>
  governed(async gov => {
    const child = busy(50)
    let ended: Promise<Usage> | undefined
    const since = cpuOfThread()
    const { usage } = await recordOf(gov, {}, async run => {
      ended = run.child(child)
      await once(child.stdout, 'data')
    })
    assert.ok((usage.cpu as number) >= 50)
    assert.equal(Object.keys(usage).sort(), ['cpu', 'wall'])
    const used = (await ended)?.cpu as number
    const own = (usage.cpu as number) - used
    assert.ok(own >= 0 && own <= cpuOfThread() - since, `${usage.cpu}, of which ${used} of the child`)
    child.stdin.end()
    await once(child, 'exit')
  }))

test('a child is not counted twice where the scope has it anyway', () =>
  governed(async gov => {
    let used = 0
    const since = cpuOfThread()
    const { usage } = await recordOf(gov, { scope: 'children' }, async run => {
      used = await useOf(run, busy(100))
    })
    hasOnce(usage.cpu, used, since)
  }))

test('what others used for a part of a run is booked to the nearest that is metered, and from there to all around', () =>
  governed(async gov => {
    const quiet = gov.workflow('quiet', { metering: false })
    const inner = gov.workflow('inner', { metering: { scope: 'children' } })
    const cpu: Record<string, number | undefined> = {}
    for (const workflow of [quiet, inner]) {
      workflow.on('run', record => {
        cpu[record.workflow] = record.usage.cpu
      })
    }
    let used = 0
    const since = cpuOfThread()
    const { usage, actions } = await recordOf(gov, { per: 'run' }, run =>
      run.action('nested', action =>
        quiet.run({ within: action }, other =>
          inner.run({ within: other }, async innermost => {
            used = await useOf(innermost, busy(100))
          })
        )
      )
    )
    hasOnce(usage.cpu, used, since)
    hasOnce(cpu.inner, used, since)
    assert.equal(actions[0]?.usage, {})
    assert.is(cpu.quiet, undefined)
  }))

test('what is no child is refused, and metering options that are not known or do not go together', () =>
  governed(async gov => {
    await gov.workflow('w').run(async run => {
      isCoded(await rejection(run.child({} as never)), 'ERR_FORELOCK_ARGUMENT')
    })
    for (const metering of [{ per: 'step' }, { every: 0 }, { every: '1' }, { scope: 'async', level: 'all' }, { scope: 'nobody' }]) {
      isCoded(
        thrown(() => gov.workflow('w', { metering: metering as never })),
        'ERR_FORELOCK_ARGUMENT'
      )
    }
  }))

test.run()

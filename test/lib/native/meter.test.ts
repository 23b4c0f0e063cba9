import { once } from 'node:events'
import { existsSync, readdirSync } from 'node:fs'
import { Worker } from 'node:worker_threads'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { loadAddon } from '../../../lib/native/load.js'
import { type AccountFile, Counter, Life, MeterScope, type NativeMeter } from '../../../lib/native/meter.js'
import { addonFile, until } from '../../survive/support.js'
import { thrown } from '../support.js'

const meter = (...given: unknown[]) => Reflect.apply(loadAddon().meter, undefined, given) as NativeMeter | undefined
const mustBe = (made: NativeMeter | undefined) => {
  assert.ok(made)
  return made as NativeMeter
}

test('its numbers are as many as there are counters, in memory that nobody can take away', () => {
  const made = mustBe(meter(MeterScope.Process, 0, true, []))
  assert.is(made.counters.length, Counter.Life + 1)
  assert.instance(made.counters.buffer, SharedArrayBuffer)
  made.read()
  assert.ok(made.counters[Counter.Cpu] > 0)
  assert.is(made.counters[Counter.Life], Life.Runs)
  made.close()
})

test('files are read from their places, and what several say is added', () => {
  const stat: AccountFile = ['/proc/self/stat', [1, '', Counter.Memory, 2, 0], [1, '', Counter.Memory, -1, 0]]
  const made = mustBe(meter(MeterScope.Files, 0, true, [stat, ['/no/such/file', [1, '', Counter.DiskRead, 1, 1]]]))
  assert.equal(made.opened, [true, false])
  made.read()
  assert.is(made.counters[Counter.Memory], process.pid)
  assert.ok(Number.isNaN(made.counters[Counter.DiskRead]))
  assert.ok(Number.isNaN(made.counters[Counter.Cpu]))
  made.close()
})

test('after close() it reads nothing, and its functions need no receiver', () => {
  for (const again of ['read', 'readAgain'] as const) {
    const { close, counters, [again]: read } = mustBe(meter(MeterScope.Thread, 0, true, []))
    read()
    assert.ok(counters[Counter.Wall] > 0)
    close()
    close()
    read()
    assert.ok(counters.every(Number.isNaN))
  }
})

test('of a process that is not there nothing is made', () => {
  assert.is(meter(MeterScope.Other, 2 ** 22, true, [[`/proc/${2 ** 22}/stat`]]), undefined)
})

test('what it is not called with is refused', () => {
  const term = (column: unknown, key: unknown, counter: unknown) => ['/proc/self/stat', [column, key, counter, 1, 0]]
  const given: unknown[][] = [
    [],
    [MeterScope.Thread, 0, true],
    [6, 0, true, []],
    [-1, 0, true, []],
    [0.5, 0, true, []],
    ['0', 0, true, []],
    [MeterScope.Other, 0, true, [['/proc/self/stat']]],
    [MeterScope.Other, 2 ** 31, true, [['/proc/self/stat']]],
    [MeterScope.Other, process.pid, true, []],
    [MeterScope.Files, 0, 1, []],
    [MeterScope.Files, 0, true, {}],
    [MeterScope.Files, 0, true, [[]]],
    [MeterScope.Files, 0, true, [[5]]],
    [MeterScope.Files, 0, true, [['/proc/self/stat', 5]]],
    [MeterScope.Files, 0, true, [term(1, '', Counter.Life + 1)]],
    [MeterScope.Files, 0, true, [term(1, '', -1)]],
    [MeterScope.Files, 0, true, [term(Number.NaN, '', Counter.Memory)]],
    [MeterScope.Files, 0, true, [term(1, 5, Counter.Memory)]],
    [MeterScope.Files, 0, true, Array.from({ length: 17 }, () => ['/proc/self/stat'])]
  ]
  for (const one of given) {
    const error = thrown(() => meter(...one))
    assert.instance(error, TypeError, JSON.stringify(one))
    assert.is(error.code, 'ERR_FORELOCK_ARGUMENT')
  }
})

test('what a getter throws is what the caller hears', () => {
  const files = [['/proc/self/stat']]
  Object.defineProperty(files, 0, {
    get() {
      throw new RangeError('mine')
    }
  })
  assert.instance(
    thrown(() => meter(MeterScope.Files, 0, true, files)),
    RangeError
  )
})

/** A worker that says which task of the kernel it is, when it has run a script. */
async function begun(script: string): Promise<{ worker: Worker; gone(): Promise<void> }> {
  const tell = `require('node:worker_threads').parentPort.postMessage(require('node:fs').readlinkSync('/proc/thread-self'))`
  const worker = new Worker(`${script}; ${tell}`, { eval: true })
  const exit = once(worker, 'exit')
  const [task] = await once(worker, 'message')
  // The kernel lets whoever joins a thread go on before it has taken it off its list.
  const gone = async () => {
    await exit
    await until('its task is gone', () => !existsSync(`/proc/${task}`))
  }
  return { worker, gone }
}

for (const how of ['ends', 'is terminated'] as const) {
  test(`a thread that ${how} with meters open closes their files, and takes nothing down`, async () => {
    const script = `
      const { meter } = require(${JSON.stringify(addonFile())})
      const made = Array.from({ length: 5 }, () => meter(${MeterScope.Other}, ${process.pid}, true, [['/proc/self/stat']]))
      for (const one of made) one.read()
      ${how === 'ends' ? '' : 'setInterval(() => made, 1_000)'}`
    const open = () => ({ files: readdirSync('/proc/self/fd').length, threads: readdirSync('/proc/self/task').length })
    await (await begun('0')).gone() // what the first of all takes for good
    const before = open()
    for (let i = 0; i < 3; i++) {
      const { worker, gone } = await begun(script)
      if (how === 'is terminated') await worker.terminate()
      await gone()
    }
    assert.equal(open(), before)
  })
}

test.run()

import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { At, type Binding, ENTRY_WORDS } from '../../../lib/native/binding.js'
import { type Waiter, Waiting } from '../../../lib/native/waiting.js'

/** A binding that settles what the test tells it to, one batch a drain. */
function fakeBinding() {
  const refs: boolean[] = []
  const batches: number[][][] = []
  const scratch = new Int32Array(72)
  const write = (entries: number[][]) => {
    scratch[At.OutSettled] = entries.length
    entries.forEach((entry, i) => {
      scratch.set(entry, At.Settled + ENTRY_WORDS * i)
    })
  }
  const binding = {
    scratch,
    state: undefined,
    capacity: { waiters: 128 },
    ref: (on: boolean) => refs.push(on),
    drain() {
      write(batches.shift() ?? [])
      return false
    }
  } as unknown as Binding & { ageingMs: number; capacity: { waiters: number } }
  return { binding, refs, batches, write }
}

class Recorder implements Waiter {
  readonly names = undefined
  next: Waiter['next'] = undefined
  readonly tierIndex = 0
  readonly arrival = 0
  readonly inCohort = false
  noted: number[] | undefined
  constructor(
    readonly owner: object,
    private readonly onFinish: (recorder: Recorder) => void = () => {}
  ) {}
  note(...facts: number[]) {
    this.noted = facts
  }
  finish() {
    this.onFinish(this)
  }
  close() {}
  takeOver() {}
  enterArena() {}
}

test('an environment has one table for an arena, whoever asks', () => {
  const { binding } = fakeBinding()
  const waiting = Waiting.of(binding)
  assert.ok(waiting)
  assert.is(Waiting.of(binding), waiting)
})

test('the table of another version of the package is not touched', () => {
  const { binding } = fakeBinding()
  binding.state = { version: Waiting.VERSION + 1 }
  assert.is(Waiting.of(binding), undefined)
})

test('the event loop is held while something waits, and only then', () => {
  const { binding, refs } = fakeBinding()
  const waiting = new Waiting(binding)
  const [one, two] = [new Recorder(waiting), new Recorder(waiting)]
  waiting.add(1, one)
  waiting.add(2, two)
  assert.equal(refs, [true])
  assert.is(waiting.remove(1, one), true)
  assert.is(waiting.remove(1, one), false)
  assert.equal(refs, [true])
  waiting.remove(2, two)
  assert.equal(refs, [true, false])
})

test('ids may come in any order', () => {
  const { binding } = fakeBinding()
  const waiting = new Waiting(binding)
  const far = new Recorder(waiting)
  waiting.add(50_000, far)
  assert.equal(waiting.waitersOf(waiting), [far])
  assert.is(waiting.remove(50_000, far), true)
})

test('what was settled is noted in full before the first promise is settled', () => {
  const { binding, write } = fakeBinding()
  const waiting = new Waiting(binding)
  // Settling may run code of the user that calls the addon again, which overwrites the scratch.
  const overwrite = () => binding.scratch.fill(-1)
  const [one, two] = [new Recorder(waiting, overwrite), new Recorder(waiting)]
  waiting.add(5, one)
  waiting.add(6, two)
  write([
    [5, 0, 11, 256],
    [6, 1, 12, 0]
  ])
  waiting.settle()
  assert.equal(one.noted, [0, 11, 256])
  assert.equal(two.noted, [1, 12, 0])
})

test('ids are free for others before the first promise is settled', () => {
  const { binding, write } = fakeBinding()
  const waiting = new Waiting(binding)
  const late = new Recorder(waiting)
  const one = new Recorder(waiting, () => waiting.add(6, late))
  waiting.add(5, one)
  waiting.add(6, new Recorder(waiting))
  write([
    [5, 0, 1, 0],
    [6, 0, 2, 0]
  ])
  waiting.settle()
  assert.is(late.noted, undefined)
  assert.is(waiting.remove(6, late), true)
})

test('a full batch is followed by as many as there are', () => {
  const { binding, batches, write } = fakeBinding()
  const waiting = new Waiting(binding)
  const order: number[] = []
  const entries = Array.from({ length: 30 }, (_, id) => {
    waiting.add(id, new Recorder(waiting, () => order.push(id)))
    return [id, 0, 0, 0]
  })
  batches.push(entries.slice(12, 24), entries.slice(24))
  write(entries.slice(0, 12))
  waiting.settle()
  assert.equal(
    order,
    entries.map(([id]) => id)
  )
})

test('entries for waiters that are gone are passed over', () => {
  const { binding, write } = fakeBinding()
  const waiting = new Waiting(binding)
  write([[77, 0, 1, 0]])
  waiting.settle()
  write([[1e6, 0, 1, 0]])
  waiting.settle()
})

test('waiters and watchers are found by their owner', () => {
  const { binding } = fakeBinding()
  const waiting = new Waiting(binding)
  const owner = {}
  const [mine, theirs] = [new Recorder(owner), new Recorder({})]
  waiting.add(1, mine)
  waiting.add(300, theirs)
  assert.equal(waiting.waitersOf(owner), [mine])
})

test.run()

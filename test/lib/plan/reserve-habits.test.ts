import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { ASKERS, type Asker, dropLeast, keyOf, ReserveHabits, WINDOW_MS } from '../../../lib/plan/reserve-habits.js'

const PERIOD_MS = 100
const tenant = (name: string): Asker => ({ workflow: 'w', tenant: name })
const worthOf = (habits: ReserveHabits, asker: Asker) => habits.worth(keyOf(asker))

function ticks(habits: ReserveHabits, ms: number): void {
  for (let past = 0; past < ms; past += PERIOD_MS) habits.tick()
}

test('what reserves are usually worth is the mean over all buckets and windows, of the first window all that there was', () => {
  const habits = new ReserveHabits(PERIOD_MS)
  for (let i = 0; i < 4; i++) habits.bucketBegan()
  habits.add(keyOf(tenant('a')), tenant('a'), 8)
  assert.is(worthOf(habits, tenant('a')), 2)
  ticks(habits, WINDOW_MS)
  assert.ok(Math.abs(worthOf(habits, tenant('a')) - 2) < 0.02)
  ticks(habits, WINDOW_MS)
  assert.ok(Math.abs(worthOf(habits, tenant('a')) - 1) < 0.02)
  assert.is(worthOf(habits, tenant('b')), 0)
})

test('of a bucket that is no more, and of a tenant that is to be forgotten, nothing counts', () => {
  const habits = new ReserveHabits(PERIOD_MS)
  for (let i = 0; i < 4; i++) habits.bucketBegan()
  for (const name of ['a', 'b']) habits.add(keyOf(tenant(name)), tenant(name), 8)
  habits.bucketEnded()
  habits.bucketEnded()
  habits.forget('b')
  assert.equal([worthOf(habits, tenant('a')), worthOf(habits, tenant('b'))], [4, 0])
})

test('what was long ago counts less than what is now', () => {
  const habits = new ReserveHabits(PERIOD_MS)
  habits.bucketBegan()
  habits.add(keyOf(tenant('old')), tenant('old'), 8)
  ticks(habits, 7_200_000)
  habits.add(keyOf(tenant('new')), tenant('new'), 8)
  assert.ok(worthOf(habits, tenant('new')) > 5 * worthOf(habits, tenant('old')))
})

test('of more askers than are told apart the one to whom it is worth least is left', () => {
  const habits = new ReserveHabits(PERIOD_MS)
  habits.bucketBegan()
  for (let i = 0; i <= ASKERS; i++) habits.add(keyOf(tenant(`t${i}`)), tenant(`t${i}`), i === 3 ? 1 : 2)
  assert.equal(
    [...habits.askers()].map(([, { asker }]) => asker.tenant),
    ['t0', 't1', 't2', 't4', 't5', 't6', 't7', 't8']
  )
  const none = new Map<string, { worth: number }>()
  dropLeast(none)
  assert.is(none.size, 0)
})

test('a tenant is told from a workflow of the same name, and who has neither cannot be named', () => {
  const keys = [tenant('x'), { workflow: 'x', tenant: undefined }, { workflow: undefined, tenant: undefined }].map(keyOf)
  assert.is(new Set(keys).size, 3)
  assert.is(keys[2], '')
})

test.run()

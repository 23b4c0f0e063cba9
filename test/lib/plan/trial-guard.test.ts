import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { ControlWindows } from '../../../lib/plan/control-windows.js'
import { TrialGuard } from '../../../lib/plan/trial-guard.js'

interface Wish {
  readonly key: string
  readonly amount: number
  readonly until: number
}

const LAG_MS = 100
const wish = (key: string, amount = 1, until = 1000): Wish => ({ key, amount, until })

/** A guard that keeps plans back while it is told to, what is tried, and a gate that refuses some. */
function stage() {
  const tried: string[] = []
  const asked: string[] = []
  const ended: string[] = []
  const state = { isHeldBack: false, refused: new Set<string>() }
  const windows = { has: () => state.isHeldBack } as unknown as ControlWindows
  const guarded = {
    keyOf: ({ key }: Wish) => key,
    tried: ({ key, amount }: Wish, from: number, until: number) => void tried.push(`${key} ${amount} ${from}-${until}`),
    emptied: (plan: Wish) => ({ ...plan, amount: 0 })
  }
  const guard = new TrialGuard<Wish>({ lag: LAG_MS, lowest: 1 }, windows, guarded, [])
  const gate = {
    allows: ({ key }: Wish) => asked.push(key) > 0 && !state.refused.has(key),
    ended: ({ key }: Wish) => void ended.push(key)
  }
  const pass = (now: number, ...plans: Wish[]) => guard.pass(plans, now, gate).map(({ key, amount }) => `${key} ${amount}`)
  return { tried, asked, ended, state, pass }
}

test('what may pass is asked about, and what is refused is neither written nor tried', () => {
  const { tried, state, pass } = stage()
  state.refused.add('b')
  assert.equal(pass(0, wish('a'), wish('b')), ['a 1'])
  assert.equal(tried, ['a 1 100-1100'])
})

test('what is kept back is tried, and not asked about before it begins', () => {
  const { tried, asked, state, pass } = stage()
  state.isHeldBack = true
  assert.equal(pass(0, wish('a')), [])
  assert.equal([tried, asked], [['a 1 100-1100'], []])
  state.isHeldBack = false
  assert.equal(pass(300), ['a 1'])
  assert.equal(asked, ['a'])
})

test('what was kept back and is refused when it may begin is tried no more, and may be wanted again', () => {
  const { tried, asked, state, pass } = stage()
  state.isHeldBack = true
  pass(0, wish('a'))
  state.isHeldBack = false
  state.refused.add('a')
  assert.equal(pass(300), [])
  assert.equal(tried, ['a 1 100-1100', 'a 0 400-400'])
  assert.equal(pass(400), [], 'it is not wanted any more')
  assert.equal(asked, ['a'])
  state.refused.clear()
  assert.equal(pass(500, wish('a')), ['a 1'])
})

test('what was written is taken back when plans are kept back, and nothing else', () => {
  const { ended, state, pass } = stage()
  state.refused.add('b')
  pass(0, wish('a'), wish('b'))
  state.isHeldBack = true
  assert.equal(pass(100, wish('c')), ['a 0'])
  assert.equal(ended, ['a'])
  assert.equal(pass(200, wish('d')), [])
})

test.run()

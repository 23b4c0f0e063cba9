import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Keys } from '../../../lib/foresight/keys.js'
import { ScoreChecks } from '../../../lib/foresight/score-checks.js'
import { Scorekeeper } from '../../../lib/predict/scorekeeper.js'

const LATER = 100_000

function checksOf() {
  const keeper = new Scorekeeper()
  const keys = new Keys()
  return { keeper, checks: new ScoreChecks(keeper), key: (name: string) => keys.of('lock', name) }
}

test('what came in its time was right, what did not was wrong, and both count once', () => {
  const { keeper, checks, key } = checksOf()
  checks.expect(key('came'), 1, 0, 500, 1000)
  checks.expect(key('late'), 1, 0, 500, 1000)
  checks.expect(key('never'), 1, 0, 500, 1000)
  assert.equal(keeper.scores(), [])
  checks.came(key('came'), 0, 1400)
  checks.came(key('came'), 0, 1450)
  checks.came(key('late'), 0, 1501)
  checks.expect(key('other'), 0.1, 0, 500, LATER)
  const [score] = keeper.scores()
  assert.is(keeper.scores().length, 1)
  assert.is(score?.model, 'keys')
  assert.is(score?.scored, 3)
  assert.ok(Math.abs((score?.brier as number) - 2 / 3) < 0.02, String(score?.brier))
})

test('a request of a lower tier, and one that came before, is not what was foretold', () => {
  const { keeper, checks, key } = checksOf()
  checks.expect(key('a'), 1, 2, 500, 1000)
  checks.came(key('a'), 1, 1100)
  checks.came(key('a'), 2, 1000)
  assert.equal(keeper.scores(), [])
  checks.came(key('a'), 3, 1200)
  assert.is(keeper.scores()[0]?.brier, 0)
})

test('of a key one is open at a time for each tier and time, which have scores of their own', () => {
  const { keeper, checks, key } = checksOf()
  for (const now of [0, 100, 200]) for (const within of [500, 3_600_000]) checks.expect(key('a'), 0.5, 0, within, now)
  checks.expect(key('a'), 0.5, 1, 500, 200)
  checks.came(key('a'), 0, 300)
  const scored = keeper.scores().map(({ source, scored }) => [source, scored])
  assert.equal(scored, [
    ['[{"within":500,"tier":0}]', 1],
    ['[{"within":3600000,"tier":0}]', 1]
  ])
})

test('of a key of which nothing was said there is nothing to judge, and of one whose number another has got there still is', () => {
  const { keeper, checks, key } = checksOf()
  const [one, other] = [key('one'), key('other')]
  const later = { ...key('later'), number: one.number }
  checks.expect(one, 1, 0, 500, 0)
  checks.expect(later, 1, 0, 500, 0)
  assert.equal(
    [one, later, other].map(({ number }) => checks.mayJudge(number)),
    [true, true, false]
  )
  checks.came(one, 0, 100)
  assert.ok(checks.mayJudge(later.number), 'the other one is open')
  checks.came(later, 0, 100)
  assert.not.ok(checks.mayJudge(later.number))
  assert.is(keeper.scores()[0]?.scored, 2)
})

test('one that is long keeps those that are short from nothing', () => {
  const { keeper, checks, key } = checksOf()
  checks.expect(key('long'), 0.5, 0, 3_600_000, 0)
  checks.expect(key('short'), 0.5, 0, 500, 0)
  checks.expect(key('next'), 0.5, 0, 500, 2_000)
  assert.is(keeper.scores()[0]?.scored, 1)
})

test('of very many some are not checked, and later ones are again', () => {
  const { keeper, checks, key } = checksOf()
  const many = 10_000
  for (let i = 0; i < many; i++) checks.expect(key(String(i)), 0.5, 0, 500, 0)
  checks.expect(key('later'), 0.5, 0, 500, LATER)
  const scored = keeper.scores()[0]?.scored as number
  assert.ok(scored > 1_000 && scored < many, String(scored))
  checks.came(key('later'), 0, LATER + 1)
  assert.is(keeper.scores()[0]?.scored, scored + 1)
})

test.run()

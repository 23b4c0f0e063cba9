import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { bestScore, type Judged, probation, rowValues, scoreAt } from '../../../../lib/backtest/nab/score.js'

const STANDARD = { tpWeight: 1, fpWeight: 0.11, fnWeight: 1 }
const LOW_FN = { ...STANDARD, fnWeight: 2 }

/** Of 1,000 rows with windows at 400 to 499 and 700 to 799, and a score of 1 at some rows. */
const file = (...detected: number[]): Judged => ({
  rows: 1_000,
  windows: [
    [400, 499],
    [700, 799]
  ],
  scores: Float64Array.from({ length: 1_000 }, (_, row) => (detected.includes(row) ? 1 : 0))
})

test('finding each window at its first row and nothing else scores 100, finding nothing 0', () => {
  for (const profile of [STANDARD, LOW_FN]) {
    assert.ok(Math.abs(bestScore([file(400, 700)], profile).score - 100) < 1e-6)
    assert.is(scoreAt([file()], profile, 0.5).score, 0)
  }
})

test('a window counts once, for its earliest row, and the more the earlier', () => {
  const at = (...rows: number[]) => scoreAt([file(...rows)], STANDARD, 0.5).score
  assert.ok(at(410) > at(450) && at(450) > at(490))
  assert.ok(at(490) > 0)
  assert.is(at(450, 460, 490), at(450))
})

test('a wrong row costs most far from a window, and little just behind one', () => {
  const values = rowValues(file(), STANDARD)
  assert.is(values[100], -0.11)
  assert.ok((values[501] as number) > -0.01)
  assert.ok((values[600] as number) < -0.1)
  const [right, alsoWrong] = [scoreAt([file(400)], STANDARD, 0.5), scoreAt([file(400, 200)], STANDARD, 0.5)]
  assert.ok(Math.abs(right.score - alsoWrong.score - (100 * 0.11) / 4) < 1e-9)
  assert.is(alsoWrong.wrong, 1)
})

test('what a detector says while it may still learn is not judged', () => {
  assert.is(probation(1_000), 150)
  assert.is(probation(100_000), 750)
  assert.is(scoreAt([file(400, 149)], STANDARD, 0.5).score, scoreAt([file(400)], STANDARD, 0.5).score)
  assert.is(scoreAt([file(400, 149)], STANDARD, 0.5).wrong, 0)
})

test('one threshold is taken for all files, the best of all', () => {
  const scores = new Float64Array(1_000)
  scores[400] = 0.9
  scores[700] = 0.6
  scores[300] = 0.7
  scores[200] = 0.5
  const found = bestScore([{ ...file(), scores }], STANDARD)
  assert.is(found.threshold, 0.6)
  assert.equal([found.found, found.wrong], [2, 1])
  const [, ...others] = [found, scoreAt([{ ...file(), scores }], STANDARD, 0.9), scoreAt([{ ...file(), scores }], STANDARD, 0.5)]
  for (const other of others) assert.ok(other.score < found.score)
})

test.run()

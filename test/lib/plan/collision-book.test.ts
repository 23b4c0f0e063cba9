import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { CollisionBook, type Foretold } from '../../../lib/plan/collision-book.js'

const HIGH = 2
const TOLD: Foretold = { id: 'a:1', kind: 'pool', what: 'p', tier: HIGH, at: 1000, within: 500, free: 2 }

function told(): CollisionBook {
  const book = new CollisionBook()
  book.tell(TOLD)
  return book
}

test('it came when the tier asked for more than was free, and what its requests waited is the sum', () => {
  const book = told()
  for (const [time, waited] of [
    [1000, 0],
    [1100, 0],
    [1499, 250]
  ] as const) {
    book.asked('pool', 'p', HIGH, time, 1)
    book.waited('pool', 'p', HIGH, time, waited)
  }
  assert.equal(book.judge(3499), [])
  assert.is(book.isFollowing, true)
  assert.equal(book.judge(3500), [{ id: 'a:1', kind: 'pool', what: 'p', tier: HIGH, came: true, requests: 3, waited: 250 }])
  assert.is(book.isFollowing, false)
  assert.equal(book.judge(5000), [])
})

test('what others asked for, elsewhere or at another time, is none of it', () => {
  const book = told()
  for (const [pool, tier, time] of [
    ['other', HIGH, 1100],
    ['p', 1, 1100],
    ['p', HIGH, 999],
    ['p', HIGH, 3000]
  ] as const) {
    book.asked('pool', pool, tier, time, 5)
    book.waited('pool', pool, tier, time, 100)
  }
  const [outcome] = book.judge(3500)
  assert.equal(outcome, { id: 'a:1', kind: 'pool', what: 'p', tier: HIGH, came: false, requests: 0, waited: 0 })
})

test('what comes later is followed for a while, but is not what was foretold', () => {
  const book = told()
  book.asked('pool', 'p', HIGH, 1500, 5)
  book.waited('pool', 'p', HIGH, 1500, 100)
  assert.equal(book.judge(3500), [{ id: 'a:1', kind: 'pool', what: 'p', tier: HIGH, came: false, requests: 1, waited: 100 }])
})

test('who still waits has waited until now', () => {
  const book = told()
  book.asked('pool', 'p', HIGH, 1200, 3)
  book.asked('pool', 'p', HIGH, 1400, 1)
  book.waited('pool', 'p', HIGH, 1400, 100)
  assert.equal(book.judge(3600)[0]?.waited, 100 + 2400)
})

test('grants whose requests were not seen do not make waits that are negative', () => {
  const book = told()
  book.waited('pool', 'p', HIGH, 1200, 100)
  const [outcome] = book.judge(3500)
  assert.equal([outcome?.requests, outcome?.waited], [1, 100])
})

test('no more than so many are followed at a time', () => {
  const book = new CollisionBook()
  for (let i = 0; i < 1000; i++) book.tell({ ...TOLD, id: `a:${i}` })
  assert.is(book.judge(3500).length, 256)
})

for (const kind of ['lock', 'bucket'] as const) {
  test(`of a ${kind} it came when one of the tier had to wait, or still does, however much was asked for`, () => {
    const outcome = (ask: (book: CollisionBook) => void) => {
      const book = new CollisionBook()
      book.tell({ ...TOLD, kind, free: 1 })
      ask(book)
      return book.judge(3500)[0]?.came
    }
    const asked = (book: CollisionBook, time: number) => book.asked(kind, 'p', HIGH, time, 5)
    assert.not(
      outcome(book => {
        asked(book, 1100)
        book.waited(kind, 'p', HIGH, 1100, 0)
      })
    )
    assert.ok(
      outcome(book => {
        asked(book, 1100)
        book.waited(kind, 'p', HIGH, 1100, 1)
      })
    )
    assert.ok(outcome(book => asked(book, 1100)))
    assert.not(
      outcome(book => book.waited(kind, 'p', HIGH, 1600, 50)),
      'it came later than was foretold'
    )
    assert.not(
      outcome(book => book.waited('pool', 'p', HIGH, 1100, 50)),
      'of another thing of that name'
    )
  })
}

test.run()

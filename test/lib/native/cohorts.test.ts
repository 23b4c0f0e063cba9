import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Cohorts, type Mate } from '../../../lib/native/cohorts.js'

const ELEMENT = 3

class Member implements Mate {
  readonly names = undefined
  next: Mate | undefined = undefined
  inCohort = true
  constructor(
    readonly name: string,
    readonly tierIndex: number,
    readonly arrival: number,
    private readonly entered: string[] = []
  ) {}
  takeOver() {}
  enterArena() {
    this.inCohort = false
    this.entered.push(this.name)
  }
}

function setUp(ageing = 0) {
  const entered: string[] = []
  const cohorts = new Cohorts(
    () => 1,
    () => ageing,
    3
  )
  const add = (name: string, tier: number, arrival: number) => {
    const member = new Member(name, tier, arrival, entered)
    cohorts.add(ELEMENT, member)
    return member
  }
  const serveAll = () => {
    const order: string[] = []
    for (let next = cohorts.next(ELEMENT); next !== undefined; next = cohorts.next(ELEMENT)) {
      cohorts.remove(ELEMENT, next)
      order.push((next as Member).name)
    }
    return order
  }
  return { cohorts, add, serveAll, entered }
}

test('higher tiers first, FIFO within a tier', () => {
  const { add, serveAll } = setUp()
  add('a', 1, 10)
  add('b', 3, 20)
  add('c', 1, 30)
  add('d', 3, 40)
  add('e', 0, 1)
  assert.equal(serveAll(), ['b', 'd', 'a', 'c', 'e'])
})

test('who has waited longer than the difference of tiers goes first', () => {
  const { add, serveAll } = setUp(100)
  add('one tier below, 99 earlier', 1, 1)
  add('two tiers below, 201 earlier', 0, -101)
  add('high', 2, 100)
  assert.equal(serveAll(), ['two tiers below, 201 earlier', 'high', 'one tier below, 99 earlier'])
})

test('who has left is passed over, and the cohort ends with its last', () => {
  const { cohorts, add, serveAll } = setUp()
  const members = ['a', 'b', 'c', 'd'].map((name, i) => add(name, 1, i))
  for (const i of [0, 2]) {
    members[i]!.inCohort = false
    cohorts.left(ELEMENT)
  }
  assert.is(cohorts.active, 1)
  assert.equal(serveAll(), ['b', 'd'])
  assert.is(cohorts.active, 0)
  assert.is(cohorts.has(ELEMENT), false)
})

test('a cohort ends when all of it has left', () => {
  const { cohorts, add } = setUp()
  add('a', 1, 0).inCohort = false
  cohorts.left(ELEMENT)
  assert.is(cohorts.active, 0)
  assert.is(cohorts.next(ELEMENT), undefined)
})

test('those who move to the arena go once, in order, and carry no link along', () => {
  const { cohorts, add, entered } = setUp()
  const members = [add('a', 1, 0), add('b', 1, 1), add('c', 2, 2)]
  cohorts.dissolveAll()
  assert.equal(entered, ['c', 'a', 'b'])
  assert.equal(
    members.map(({ next }) => next),
    [undefined, undefined, undefined]
  )
  cohorts.dissolveAll()
  assert.is(entered.length, 3)
  assert.is(cohorts.active, 0)
})

test('one whose wait ended while the others moved does not move', () => {
  const { cohorts, add, entered } = setUp()
  const first = add('a', 1, 0)
  const second = add('b', 1, 1)
  first.enterArena = () => {
    first.inCohort = second.inCohort = false
    cohorts.left(ELEMENT)
  }
  cohorts.dissolve(ELEMENT)
  assert.equal(entered, [])
})

test('the time is read once for all that comes in one go', async () => {
  let now = 5
  const cohorts = new Cohorts(
    () => now++,
    () => 0,
    3
  )
  assert.equal([cohorts.time(), cohorts.time()], [5, 5])
  await undefined
  assert.is(cohorts.time(), 6)
})

test('a cohort is shown unless it is too long for the arena', () => {
  const { cohorts, add, entered } = setUp()
  for (const name of ['a', 'b', 'c', 'd']) add(name, 1, 0)
  cohorts.show()
  assert.equal([entered.length, cohorts.all().length], [0, 4])
  cohorts.remove(ELEMENT, cohorts.next(ELEMENT)!)
  cohorts.show()
  assert.equal(entered, ['b', 'c', 'd'])
})

test('cohorts of different elements do not meet', () => {
  const { cohorts, add } = setUp()
  add('a', 1, 0)
  const other = new Member('other', 3, 0)
  cohorts.add(ELEMENT + 1, other)
  assert.is((cohorts.next(ELEMENT) as Member).name, 'a')
  assert.is(cohorts.next(ELEMENT + 1), other)
  assert.is(cohorts.active, 2)
})

test.run()

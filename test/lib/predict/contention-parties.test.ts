import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { countRequest, countWait, holdsOf, Parties } from '../../../lib/predict/contention-parties.js'

test('numbers are never used again, and those that ask most stay', () => {
  const parties = new Parties(20)
  const seen = new Set<number>()
  for (let i = 0; i < 2_000; i++) {
    const party = parties.claim(i % 2 === 0 ? 'often' : `once ${i}`)
    if (i % 2 === 1) assert.not(seen.has(party.number))
    seen.add(party.number)
    countRequest(party, false)
  }
  const often = parties.get('often')
  assert.ok((often?.asked as number) > 150)
  assert.is(parties.of(often?.number as number), often)
  assert.is(parties.get('once 1'), undefined)
})

test('what is counted is known again after it was saved', () => {
  const parties = new Parties(5)
  const party = parties.claim('one')
  for (let i = 0; i < 10; i++) countRequest(party, i < 5)
  countWait(party, 80)
  holdsOf(party, true).add(20)
  const heir = new Parties(5)
  heir.load(JSON.parse(JSON.stringify(parties.save())))
  const again = heir.get('one')
  assert.equal([again?.asked, again?.collided, again?.waited, again?.waits], [party.asked, party.collided, 80, 1])
  assert.is(again?.holds[0], undefined)
  assert.is(again?.holds[1]?.count, 1)
})

test.run()

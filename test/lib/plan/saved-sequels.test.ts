import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { readSequels, type SavedSequels, writeSequels } from '../../../lib/plan/saved-sequels.js'
import { Sequels } from '../../../lib/plan/sequels.js'

const TIERS = 4

function saved(): SavedSequels {
  const sequels = new Sequels()
  for (let time = 0; time < 100_000; time += 4000) {
    sequels.advance(time)
    sequels.came('A', time, 'lock', 'a', 1, 1)
    sequels.came('B', time + 300, 'pool', 'p', 2, 3)
  }
  return readSequels(sequels.save(), TIERS) as SavedSequels
}

test('what was written is read', () => {
  const sequels = saved()
  assert.equal(
    sequels.workflows.map(({ name, asks }) => [name, asks.map(({ kind, name }) => `${kind} ${name}`)]),
    [
      ['A', ['lock a']],
      ['B', ['pool p']]
    ]
  )
  assert.equal(readSequels(writeSequels(sequels), TIERS), sequels)
})

test('what is damaged, or is none, is refused', () => {
  const bytes = writeSequels(saved())
  for (const at of [0, 30, bytes.length - 1]) {
    const damaged = bytes.slice()
    damaged[at] = (damaged[at] as number) ^ 1
    assert.is(readSequels(damaged, TIERS), undefined)
  }
  assert.is(readSequels(bytes.slice(0, -1), TIERS), undefined)
  assert.is(readSequels(new Uint8Array(), TIERS), undefined)
})

const sequels = saved()
const [workflow] = sequels.workflows
const [ask] = workflow?.asks ?? []
const asking = (part: object) => ({ workflows: [{ ...workflow, asks: [{ ...ask, ...part }] }] })
for (const [what, part] of Object.entries({
  'beginnings below 0': { beginnings: -1 },
  'triggers of one time only': { triggers: sequels.triggers.slice(1) },
  'triggers of other times': { triggers: [...sequels.triggers].reverse() },
  'triggers that are none': { triggers: ['', ''] },
  'a workflow without a name': { workflows: [{ ...workflow, name: 1 }] },
  'beginnings of one that are none': { workflows: [{ ...workflow, begun: null }] },
  'a thing of no kind': asking({ kind: 'room' }),
  'a tier that there is not': asking({ tier: TIERS }),
  'an amount below 0': asking({ amounts: [-1] }),
  'a count that is none': asking({ count: null }),
  'trust that is none': { trust: [{ from: 'A', to: 'B', expected: -1, came: 0 }] },
  'no list': { trust: {} }
})) {
  test(`${what} is refused`, () => {
    assert.ok(readSequels(writeSequels(sequels), TIERS))
    assert.is(readSequels(writeSequels({ ...sequels, ...part } as never), TIERS), undefined)
  })
}

test.run()

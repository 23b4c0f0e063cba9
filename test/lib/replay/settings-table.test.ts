import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { type Played, play } from '../../../lib/replay/run.js'
import { settingsTable } from '../../../lib/replay/settings-table.js'
import { readSettings } from '../../../lib/replay/what-if.js'
import { workload } from './support.js'

const busy = () =>
  workload(
    Array.from({ length: 6 }, () => ({ time: 0, duration: 100 })),
    1,
    { tiers: ['background'] }
  )

test('each setting is played beside the own one, and one table compares them', async () => {
  const trace = { name: 'test', title: 'a test', scales: false, workload: async () => busy() }
  const all: Played[] = []
  for await (const played of play([trace], {
    policies: ['reactive'],
    seed: 1,
    settings: readSettings(['capacity.slots=2', 'capacity.slots=6'])
  })) {
    all.push(played)
  }
  assert.equal(
    all.map(({ results }) => results[0]?.makespan),
    [600, 300, 100]
  )
  const [own, ...others] = all as [Played, ...Played[]]
  const lines = settingsTable(own, others).split('\n')
  assert.is(lines.length, 5)
  assert.match(lines[2] as string, /reactive +background +as it is +250 +\d+ +6 +0 +0\.60/)
  assert.match(lines[3] as string, /capacity\.slots=2 +100 /)
  assert.match(lines[4] as string, /capacity\.slots=6 +0 /)
})

test.run()

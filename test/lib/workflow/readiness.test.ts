import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Governor, PlanNotice, WarmNotice } from '../../../lib/index.js'
import { locks } from '../../../lib/lock.js'
import { tellNotices } from '../../../lib/notice-board.js'
import { AGENT_LOCK } from '../../../lib/notices.js'
import { isCoded, macrotask, thrown, virtual } from '../support.js'

const LOOK_MS = 25
/** As it is heard. */
const DUE: WarmNotice = { event: 'warm', kind: 'workflow', what: 'report', who: 'report', probability: 0.9, until: 300 }

/** A governor in which there is an agent. */
function planned(): Governor {
  const gov = virtual()
  gov.lock(AGENT_LOCK).tryAcquire()
  return gov
}

/** It is heard at the next look. */
async function tell(gov: Governor, ...notices: WarmNotice[]): Promise<void> {
  const told = notices.map(notice => ({ ...notice, until: notice.until + LOOK_MS }))
  tellNotices(locks.sessionOf(gov.lock('any')), told)
  gov.advance(LOOK_MS)
  await macrotask()
}

test('who is foretold to begin is made ready, and what concerns others is not heard', async () => {
  const gov = planned()
  const told: unknown[][] = []
  const report = gov.workflow('report', { onWarm: (...args) => told.push(args) })
  gov.workflow('other', { onWarm: () => assert.unreachable() })
  await tell(gov, DUE, { ...DUE, kind: 'lock', what: 'ledger' })
  assert.equal(told, [['report', 300, DUE]])
  assert.is(report.readiness()?.called, 1)
  assert.is(gov.workflow('none').readiness(), undefined)
  await gov.close()
})

test('it was of use when a run begins in time, and of none when none does', async () => {
  const gov = planned()
  const report = gov.workflow('report', { onWarm: () => {} })
  await tell(gov, DUE)
  gov.advance(300)
  await report.run(() => {})
  await report.run(() => {})
  await tell(gov, DUE)
  await macrotask()
  gov.advance(301)
  await report.run(() => {})
  await tell(gov, DUE)
  gov.advance(301)
  assert.equal(report.readiness(), { called: 3, failed: 0, skipped: 0, used: 1, wasted: 2 })
  await gov.close()
})

test('it hears of what is warmed up for it as of any plan', async () => {
  const gov = planned()
  const seen: PlanNotice[] = []
  gov.workflow('report').on('plan', plan => seen.push(plan))
  await tell(gov, { ...DUE, kind: 'lock', what: 'ledger' }, { ...DUE, kind: 'lock', what: 'any', who: undefined }, { ...DUE, who: 'other' })
  assert.equal(seen, [{ event: 'plan', kind: 'warm', what: 'ledger', tier: undefined, who: 'report', amount: undefined, until: 300 }])
  await gov.close()
})

test('what makes it ready is a function, and fails for itself', async () => {
  const gov = planned()
  isCoded(
    thrown(() => gov.workflow('w', { onWarm: 'now' as unknown as () => void })),
    'ERR_FORELOCK_ARGUMENT'
  )
  const report = gov.workflow('report', {
    onWarm: async () => {
      throw new Error('no worker')
    }
  })
  await tell(gov, DUE)
  await macrotask()
  assert.is(report.readiness()?.failed, 1)
  assert.is(await report.run(() => 'done'), 'done')
  await gov.close()
})

test.run()

import { createRequire } from 'node:module'
import * as forelock from 'forelock'

// The thread of a recorder begins from what was installed, of either kind; what it needs is not installed here.
for (const { open } of [forelock, createRequire(import.meta.url)('forelock')]) {
  const gov = open({ fresh: true })
  const recorder = gov.record({ duckdb: 'history.duckdb' })
  await recorder.begun
  console.log(recorder.error.code, recorder.error.remedies.join())
  await gov.close()
}

import { createRequire } from 'node:module'
import * as forelock from 'forelock'

const name = `forelock-package-record-${process.pid}`

// The thread or process of a recorder begins from what was installed, of either kind; what it needs is not installed here.
for (const { open } of [forelock, createRequire(import.meta.url)('forelock')]) {
  for (const recorder of ['thread', 'process']) {
    const gov = open({ name })
    const recording = gov.record({ duckdb: 'history.duckdb' }, { recorder })
    await recording.begun
    console.log(recording.error.code, recording.error.remedies.join())
    await gov.close()
  }
}
forelock.unlink(name)

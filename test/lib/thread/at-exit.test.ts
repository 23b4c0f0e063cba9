import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { test } from 'uvu'
import * as assert from 'uvu/assert'

const CHILD = fileURLToPath(new URL('at-exit.child.ts', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'forelock-at-exit-'))

test.after(() => rmSync(folder, { recursive: true, force: true }))

for (const [how, code] of [
  ['exit', 3],
  ['throw', 1],
  ['nothing left', 0],
  ['ended before', 0]
] as const) {
  test(`a process ends after its threads have written what they had to: ${how}`, async () => {
    const files = [1, 2].map(i => join(folder, `${how}-${i}`))
    const child = spawn(process.execPath, ['--import', 'tsx', CHILD, how, ...files], { stdio: 'ignore' })
    assert.equal(await once(child, 'exit'), [code, null])
    assert.equal(
      files.map(file => readFileSync(file, 'utf8')),
      ['all of it', 'all of it']
    )
  })
}

test.run()

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { test } from 'uvu'
import * as assert from 'uvu/assert'

const main = fileURLToPath(new URL('../../examples/shared-lock/main.ts', import.meta.url))

test('the example recovers the lock of the killed process, and leaves nothing behind', async () => {
  const child = spawn(process.execPath, ['--import', 'tsx', main], { stdio: ['ignore', 'pipe', 'inherit'] })
  let output = ''
  child.stdout.on('data', chunk => {
    output += chunk
  })
  const [code] = await once(child, 'close')
  assert.is(code, 0)
  assert.match(output, /process 3 \(pid \d+\) is killed \(SIGKILL\) while it holds the lock/)
  assert.match(output, /is told that the owner before it died/)
  assert.match(output, /recovery: [\d.]+ ms from the kill to the next grant/)
  assert.match(output, /token order: 57 grants, each with a larger token/)
  assert.equal(
    readdirSync('/dev/shm').filter(file => file.includes(`shared-lock-${child.pid}`)),
    []
  )
})

test.run()

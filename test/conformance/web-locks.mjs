/**
 * Runs the Web Locks part of web-platform-tests against `gov.locks`. The suite is not part of this project: the caller
 * gives a checkout of it. See README.md beside this file.
 */
import { fork } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { join, relative, resolve, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { outOfReach } from './out-of-reach.mjs'

const PAGE = fileURLToPath(new URL('./page.mjs', import.meta.url))

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    module: { type: 'string' },
    native: { type: 'boolean', default: false },
    only: { type: 'string' },
    timeout: { type: 'string', default: '120000' },
    json: { type: 'boolean', default: false }
  }
})

const root = positionals[0] && resolve(positionals[0])
if (!root || !existsSync(join(root, 'web-locks')) || !existsSync(join(root, 'resources', 'testharness.js'))) {
  console.error('usage: node test/conformance/web-locks.mjs PATH_TO_WPT [--module FILE | --native] [--only TEXT] [--timeout MS] [--json]')
  console.error('PATH_TO_WPT: a checkout of web-platform-tests with the folders web-locks, resources, interfaces and common')
  process.exit(2)
}

function testFiles(folder) {
  const found = []
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name)
    if (entry.isDirectory() && entry.name !== 'resources') found.push(...testFiles(path))
    else if (/\.any\.js$|\.window\.js$|\.html$/.test(entry.name)) found.push(path)
  }
  return found.sort()
}

/** One file in a process of its own, so that locks held for ever and globals changed by a test end with it. */
function runFile(path) {
  return new Promise(done => {
    const results = []
    let status = { status: 'ENDED', message: 'the process ended before the harness completed' }
    const page = fork(PAGE, [root, path, flags.native ? '--native' : (flags.module ?? '')], { stdio: ['ignore', 'ignore', 'pipe', 'ipc'] })
    let stderr = ''
    page.stderr.on('data', chunk => {
      stderr += chunk
    })
    const timer = setTimeout(() => {
      status = { status: 'TIMEOUT', message: `no end after ${flags.timeout} ms` }
      page.kill('SIGKILL')
    }, Number(flags.timeout))
    page.on('message', message => {
      if (message.result) results.push(message.result)
      else status = message
    })
    page.on('close', () => {
      clearTimeout(timer)
      done({ results, ...status, stderr })
    })
  })
}

function summary(result) {
  const passed = result.results.filter(test => test.status === 'PASS').length
  return { passed, failed: result.results.length - passed, ok: result.status === 'OK' && passed === result.results.length && passed > 0 }
}

const report = []
let passed = 0
let failed = 0
for (const path of testFiles(join(root, 'web-locks'))) {
  const file = relative(root, path).split(sep).join('/')
  if (flags.only && !file.includes(flags.only)) continue
  const reason = outOfReach(path)
  if (reason) {
    report.push({ file, skipped: reason })
    if (!flags.json) console.log(`skip  ${file}: ${reason}`)
    continue
  }
  const result = await runFile(path)
  const count = summary(result)
  passed += count.passed
  failed += count.failed + (result.status === 'OK' ? 0 : 1)
  report.push({ file, ...count, status: result.status, message: result.message, tests: result.results })
  if (flags.json) continue
  console.log(
    `${count.ok ? 'pass' : 'FAIL'}  ${file}: ${count.passed} passed, ${count.failed} failed${result.status === 'OK' ? '' : `, ${result.status}: ${result.message}`}`
  )
  for (const test of result.results) if (test.status !== 'PASS') console.log(`        ${test.status} ${test.name}: ${test.message}`)
  if (!count.ok && result.stderr) console.log(result.stderr.replace(/^/gm, '        '))
}

if (flags.json) console.log(JSON.stringify({ node: process.version, passed, failed, files: report }, null, 2))
else console.log(`${passed} passed, ${failed} failed`)
process.exitCode = failed === 0 ? 0 : 1

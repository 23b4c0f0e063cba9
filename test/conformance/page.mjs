/** Child process of web-locks.mjs: runs one test file of web-platform-tests and sends its results to the parent. */
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import vm from 'node:vm'
import { defineFrames } from './frames.mjs'
import { defineGlobals, defineWorkerScope, resolveUrl, runScript } from './globals.mjs'
import { loadLocks } from './locks.mjs'

const [root, path, module] = process.argv.slice(2)
const RESULTS = ['PASS', 'FAIL', 'TIMEOUT', 'NOTRUN', 'PRECONDITION_FAILED']
const STATUSES = ['OK', 'ERROR', 'TIMEOUT', 'PRECONDITION_FAILED']

/** The scripts of a test, in order: META lines of .js files, script elements of .html files. */
function scriptsOf(path) {
  const text = readFileSync(path, 'utf8')
  const base = dirname(path)
  if (path.endsWith('.js')) {
    const meta = [...text.matchAll(/^\/\/ META: script=(.*)$/gm)].map(match => fromFile(base, match[1].trim()))
    return [...meta, { filename: path, text }]
  }
  const elements = [...text.matchAll(/<script(?:\s+src="([^"]*)")?[^>]*>([\s\S]*?)<\/script>/g)]
  return elements
    .filter(([, src]) => !src?.includes('testharness'))
    .map(([, src, inline]) => (src ? fromFile(base, src) : { filename: path, text: inline }))
}

function fromFile(base, url) {
  const filename = resolveUrl(root, base, url)
  return { filename, text: readFileSync(filename, 'utf8') }
}

const globals = { root, base: dirname(path), module }
defineGlobals({ ...globals, pathname: path.slice(root.length), locks: await loadLocks(module) })

vm.runInThisContext(readFileSync(join(root, 'resources', 'testharness.js'), 'utf8'), { filename: 'testharness.js' })

add_result_callback(test => {
  process.send({ result: { name: test.name, status: RESULTS[test.status], message: test.message } })
})
add_completion_callback((_tests, status) => {
  process.send({ status: STATUSES[status.status], message: status.message }, () => process.exit())
})

// Keeps the process until the harness completes: a lock that is never granted must show as a timeout, not as an early end.
process.on('message', () => {})
process.on('unhandledRejection', reason => self.dispatchEvent(Object.assign(new Event('unhandledrejection'), { reason })))
process.on('uncaughtException', error => self.dispatchEvent(Object.assign(new Event('error'), { error, message: error?.message })))

defineWorkerScope()
if (path.endsWith('.html')) defineFrames(globals)
setup({ output: false })
for (const script of scriptsOf(path)) runScript(script)

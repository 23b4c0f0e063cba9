// The TypeScript in the guides and in README.md: each guide's blocks, one after the other, are a program that compiles and runs. Where a block uses what is the
// reader's own, a comment `<!-- run … -->` before it, which no reader sees, says what that is here.
import { execFile } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import * as forelock from '../../lib/index.js'

const GUIDES = [
  'admission',
  'events',
  'foresight',
  'history',
  'metering',
  'migration',
  'planning',
  'plans',
  'pools',
  'shadow',
  'token-buckets',
  'workflows',
  'README'
]
const root = fileURLToPath(new URL('../..', import.meta.url))
const folder = `${root}.cache/guides`
const run = promisify(execFile)
/** A program of a guide that runs for so long hangs, ms: they take some seconds each, ten times that on a machine with as many others. */
const HANG_MS = 240_000

const arenaOf = (guide: string) => `guide-${guide}-${process.pid}`
const textOf = (guide: string) => readFileSync(`${root}${fileOf(guide)}`, 'utf8')
const fileOf = (guide: string) => (guide === 'README' ? 'README.md' : `docs/guides/${guide}.md`)
const programOf = (guide: string) => `${folder}/${guide}.ts`

const BLOCK = /(?:<!-- run\n([\s\S]*?)\n-->\n+)?```(?:ts|js)\n([\s\S]*?)```/g
const IMPORT = /^import (type )?\{ ([^}]*) \} from '([^']*)'\n/gm

/** Every block is inside of the one before: it sees what that declares, and may declare the same again. */
function program(guide: string): string {
  const text = textOf(guide)
  const imports = new Map<string, Set<string>>()
  const blocks = [...text.matchAll(BLOCK)].map(([, setup = '', shown = '']) =>
    `${setup}\n${shown}`.replace(IMPORT, (_, type = '', names: string, from: string) => {
      const all = imports.get(from) ?? new Set()
      imports.set(from, all)
      for (const name of names.split(', ')) all.add(`${type}${name}`)
      return ''
    })
  )
  assert.ok(blocks.length > 0, `no block in ${guide}`)
  const library = relative(folder, `${root}lib/index.js`)
  const lines = [...imports].map(([from, names]) => `import { ${[...names].join(', ')} } from '${from === 'forelock' ? library : from}'`)
  const named = blocks.join('\n{\n').replace(/open\(\{ name: '[^']*'/g, `open({ name: '${arenaOf(guide)}'`)
  const close = /\bconst gov\b/.test(named) ? 'await gov.close()\n' : ''
  return `${lines.join('\n')}\n${named}\n${close}${'}\n'.repeat(blocks.length - 1)}`
}

test.before(() => {
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  const config = { extends: '../../tsconfig.json', compilerOptions: { noUnusedLocals: false }, include: ['.'] }
  writeFileSync(`${folder}/tsconfig.json`, JSON.stringify(config))
  for (const guide of GUIDES) writeFileSync(programOf(guide), program(guide))
})

test('what the guides show compiles', async () => {
  const checked = await run(process.execPath, [`${root}node_modules/typescript/bin/tsc`, '-p', folder]).catch(error => error)
  assert.is(checked.stdout, '')
})

for (const guide of GUIDES) {
  test(`what ${fileOf(guide)} shows runs`, async () => {
    try {
      await run(process.execPath, ['--import', 'tsx', programOf(guide)], { cwd: root, timeout: HANG_MS })
    } finally {
      forelock.unlink(arenaOf(guide), { force: true })
    }
  })
}

test('the guide of errors has every class', () => {
  const text = textOf('errors')
  const classes = Object.keys(forelock).filter(name => name.endsWith('Error') && name !== 'ForelockError' && name !== 'isForelockError')
  const missing = classes.filter(name => {
    const code = `ERR_FORELOCK_${name
      .replace('Error', '')
      .replace(/(?!^)([A-Z])/g, '_$1')
      .toUpperCase()}`
    return !text.includes(`| \`${code}\` | ${name} |`)
  })
  assert.ok(classes.length > 20)
  assert.equal(missing, [])
})

test.run()

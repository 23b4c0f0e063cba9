import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { linesOf } from '../../../lib/backtest/archive.js'
import { isCoded, rejection } from '../support.js'

const test = suite<{ folder: string; archive: string }>('archive')

test.before(context => {
  context.folder = mkdtempSync(join(tmpdir(), 'forelock-archive-'))
  context.archive = join(context.folder, 'all.tar.xz')
  mkdirSync(join(context.folder, 'in'))
  writeFileSync(join(context.folder, 'in', 'one.csv'), 'a\nb\n')
  writeFileSync(join(context.folder, 'in', 'two.txt'), 'c\n')
  writeFileSync(join(context.folder, 'in', 'three.csv'), 'd\n')
  execFileSync('tar', ['-cJf', context.archive, '-C', context.folder, 'in/one.csv', 'in/two.txt', 'in/three.csv'])
})

test.after(({ folder }) => rmSync(folder, { recursive: true }))

test('gives each line of the members asked for', async ({ archive }) => {
  const lines: string[] = []
  await linesOf(archive, '*.csv', line => lines.push(line))
  assert.equal(lines, ['a', 'b', 'd'])
})

test('says what to install where it cannot be unpacked', async ({ archive, folder }) => {
  const broken = join(folder, 'broken.tar.xz')
  writeFileSync(broken, 'no archive')
  for (const [file, command] of [
    [archive, 'no-such-tar'],
    [broken, 'tar'],
    [join(folder, 'absent.tar.xz'), 'tar']
  ] as const) {
    const error = await rejection(linesOf(file, '*', () => undefined, command))
    isCoded(error, 'ERR_FORELOCK_ARGUMENT')
    assert.ok(error.message.includes(file) && error.message.includes('xz-utils'), error.message)
  }
})

test('what a line throws is thrown on', async ({ archive }) => {
  const error = await rejection(
    linesOf(archive, '*.csv', () => {
      throw new RangeError('no')
    })
  )
  assert.is(error.message, 'no')
})

test.run()

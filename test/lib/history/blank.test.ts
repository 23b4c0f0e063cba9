import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { isBlank } from '../../../lib/history/blank.js'

test('what has no statement is blank', () => {
  for (const sql of ['', ' \t\r\n', ';', ';; ;', '-- all', '--', '-- one\n-- two\n', '/**/', '/* a\n* b */ ;-- c', '/* a /* b */ c */'])
    assert.is(isBlank(sql), true, sql)
})

test('what has one is not, whatever it is', () => {
  for (const sql of ['SELECT 1', '-- all\nSELECT 1', '/* a */ x', '-', '*/', '- -', '/ *', "'--'", '/* a */ */'])
    assert.is(isBlank(sql), false, sql)
})

test('a comment that does not end is an error that the database finds', () => {
  for (const sql of ['/* a', '/* /* a */', '/*/']) assert.is(isBlank(sql), false, sql)
})

test.run()

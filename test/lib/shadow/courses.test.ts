import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Courses } from '../../../lib/shadow/courses.js'
import { runOf } from './recorded-runs.js'

const numbered = (duration: number, tenant?: string) => ({ ...runOf([['a', duration]]), tenant })
const durations = (courses: Courses) => courses.all.map(({ duration }) => duration)

test('the last 256 runs are remembered, the oldest first', () => {
  const courses = new Courses()
  for (let i = 1; i <= 1000; i++) courses.add(numbered(i), [], i)
  assert.equal(
    durations(courses),
    Array.from({ length: 256 }, (_, i) => 745 + i)
  )
})

test('when there are as many, those that end within the same millisecond are one', () => {
  const courses = new Courses()
  for (let i = 1; i <= 256; i++) courses.add(numbered(i), [], 0)
  courses.add(numbered(1000), [], 0.5)
  assert.is(courses.all.at(-1)?.duration, 256)
  courses.add(numbered(1001), [], 1)
  assert.is(courses.all.at(-1)?.duration, 1001)
})

test('runs of many actions are fewer, and one at least', () => {
  const courses = new Courses()
  const many = runOf(Array.from({ length: 10_000 }, () => ['a', 1] as const))
  courses.add(many, [], 0)
  courses.add(many, [], 5)
  assert.is(courses.all.length, 1)
  courses.add(numbered(1), [], 10)
  assert.equal(durations(courses), [10_000, 1])
})

test('a course is the same object as long as it is remembered', () => {
  const courses = new Courses()
  courses.add(numbered(1), [], 0)
  const [first] = courses.all
  courses.add(numbered(2), [], 5)
  assert.is(courses.all[0], first)
})

test('the runs of a tenant are forgotten, and those of others are not', () => {
  const courses = new Courses()
  for (let i = 0; i < 600; i++) courses.add(numbered(i, i % 2 === 0 ? 'acme' : undefined), [], i)
  courses.forget('acme')
  assert.is(courses.all.length, 128)
  assert.ok(durations(courses).every(duration => duration % 2 === 1))
  courses.add(numbered(1000), [], 1000)
  assert.is(courses.all.at(-1)?.duration, 1000)
})

test('what was said beforehand stands until there is a run', () => {
  const courses = new Courses(numbered(9))
  assert.equal(durations(courses), [9])
  courses.add(numbered(1), [], 0)
  assert.equal(durations(courses), [1])
})

test.run()

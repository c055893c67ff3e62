/** Filter, order and folds of the list of rejections. */
import { describe, expect, test } from '@jest/globals';
import { type Arrangement, arrange } from '../../../../src/dashboard/page/rejection-list.js';

const group = (id: string, category: string, message: string, associations: number, last: number) => ({
  ...{ id, category, message, from: 'contacts', to: id === 'c' ? 'deals' : 'companies', associations },
  ...{ jobs: 1, first: 0, last },
});
const groups = [
  group('a', 'OBJECT_NOT_FOUND', 'No contact with ID … exists', 3, 30),
  group('b', 'VALIDATION_ERROR', '… is not a valid ID', 50, 10),
  group('c', 'OBJECT_NOT_FOUND', 'No deal with ID … exists', 49, 20),
];
const plain: Arrangement = { text: '', sort: 'associations', fold: 'nothing' };
const ids = (arrangement: Partial<Arrangement>) =>
  arrange(groups, { ...plain, ...arrangement }).map(section => section.groups.map(({ id }) => id));

describe('the list of rejections', () => {
  test.each<[Partial<Arrangement>, string[][]]>([
    [{}, [['b', 'c', 'a']]],
    [{ sort: 'last' }, [['a', 'c', 'b']]],
    [{ sort: 'words' }, [['a', 'c', 'b']]],
    [{ text: 'object_not deal' }, [['c']]],
    [{ text: 'contacts/companies' }, [['b', 'a']]],
    [{ text: 'contacts → deals' }, [['c']]],
    [{ text: 'nothing of that kind' }, []],
    [{ fold: 'category' }, [['c', 'a'], ['b']]],
    [{ fold: 'objectPair', sort: 'last' }, [['a', 'b'], ['c']]],
  ])('arranged by %j', (arrangement, expected) => {
    expect(ids(arrangement)).toEqual(expected);
  });

  test('a section has the sum of its groups, and the largest comes first', () => {
    const sections = arrange(groups, { ...plain, fold: 'category' });
    expect(sections.map(({ title, associations }) => [title, associations])).toEqual([
      ['OBJECT_NOT_FOUND', 52],
      ['VALIDATION_ERROR', 50],
    ]);
  });
});

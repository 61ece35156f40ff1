"""Does doc/tariff.schema.json say of structure what the tables of the grammar say?

Both are walked together from the root; a difference is a line with the path. What the grammar
checks beyond its tables (digits, names, order) has no place in a schema. And does doc/tariff.md name all
words and defaults of them?
"""
import re

DAYS = {'tue', 'wed', 'thu', 'fri'}     # "mon to sun"

DECIMALS = {(9, 0): 'decimal', (9, 1): 'amount', (9, 2): 'positive', (6, 0): 'bound', (6, 1): 'kwh',
            (6, 2): 'positive_kwh', (3, 1): 'milli', (3, 2): 'positive_milli'}
TEXTS = {100: 'name', 1000: 'label_text'}
SCALARS = ('date', 'month_day', 'minute', 'instant', 'quantity', 'scalar', 'currency')
NULL = {'type': 'null'}


class Walk:
    def __init__(self, grammar, schema, parse):
        self.types = grammar['types']
        self.units = grammar['units']
        self.defs = schema['$defs']
        self.parse = parse      # JSON text to a value
        self.seen = set()
        self.differences = []
        self.keys = set()       # of objects, as (object, key)

    def differ(self, path, what):
        self.differences.append('%s: %s' % (path or 'the tariff', what))

    def expect(self, path, what, grammar, schema):
        if grammar != schema:
            self.differ(path, '%s is %r in the grammar, %r in the schema' % (what, grammar, schema))

    def resolve(self, node):
        """-> (the node a $ref leads to, its name)"""
        name = None
        while '$ref' in node:
            name = node['$ref'].rsplit('/', 1)[1]
            node = self.defs[name]
        return node, name

    def compare(self, path, number, node):
        kind = self.types[number]
        node, name = self.resolve(node)
        if (number, id(node)) in self.seen:
            return
        self.seen.add((number, id(node)))
        if kind['kind'] == 'decimal':
            self.expect(path, 'the number', DECIMALS[kind['scale'], kind['sign']], name)
        elif kind['kind'] == 'text':
            self.expect(path, 'the text', TEXTS[kind['max']], name)
        elif kind['kind'] in SCALARS:
            self.expect(path, 'the value', kind['kind'], name)
        else:
            getattr(self, 'compare_' + kind['kind'])(path, kind, node)

    def compare_bool(self, path, kind, node):
        self.expect(path, 'the type', 'boolean', node.get('type'))

    def compare_int(self, path, kind, node):
        if 'const' in node:
            self.expect(path, 'the range', (kind['min'], kind['max']), (node['const'],) * 2)
        elif 'enum' in node:        # less than the range: 1 or -1
            self.expect(path, 'the range', (kind['min'], kind['max']), (min(node['enum']), max(node['enum'])))
        else:
            self.expect(path, 'the range', ('integer', kind['min'], kind['max']),
                        (node.get('type'), node.get('minimum'), node.get('maximum')))

    def compare_word(self, path, kind, node):
        days = 'day of the week' in kind['what']    # the words after them are other tags
        self.expect(path, 'the list of words', kind['words'][:7] if days else kind['words'], node.get('enum'))

    def compare_object(self, path, kind, node):
        fields = {field['name']: field for field in kind['fields']}
        keys = node.get('properties', {})
        self.expect(path, 'the type', ['object', 'null'] if kind['nullable'] else 'object', node.get('type'))
        self.expect(path, 'the list of keys', list(fields), list(keys))
        self.expect(path, 'the list of required keys', [n for n, f in fields.items() if f['required']], node.get('required', []))
        self.expect(path, 'additionalProperties', False, node.get('additionalProperties'))
        for key in fields.keys() & keys.keys():
            below = '%s.%s' % (path, key) if path else key
            self.keys.add(key)
            if key == 'kind' and 'factor_if' in fields:    # the words are those of the kinds
                self.expect(below, 'the list of words', fields['code']['kinds'], keys[key].get('enum'))
            else:
                self.compare(below, fields[key]['type'], keys[key])
            initial = fields[key].get('initial')
            self.expect(below, 'the default', None if initial is None else self.parse(initial), keys[key].get('default'))
        if 'factor_if' in fields:
            self.compare_kinds(path, fields, node)

    def compare_kinds(self, path, fields, node):
        """Keys and units that only some kinds of components have"""
        every = fields['code']['kinds']
        self.expect(path, 'what only some kinds have', {n: f['kinds'] for n, f in fields.items() if f['kinds'] != every},
                    {k: s['properties']['kind']['enum'] for k, s in node.get('dependentSchemas', {}).items()})
        units = {}
        for rule in node.get('allOf', []):
            for kind in rule['if']['properties']['kind']['enum']:
                if 'per' in rule['then'].get('properties', {}):
                    units[kind] = ' '.join(rule['then']['properties']['per']['enum'])
        self.expect(path, 'units by kind', self.units, units)

    def compare_map(self, path, kind, node):
        self.expect(path, 'the map', ('object', kind['min'], kind['max']),
                    (node.get('type'), node.get('minProperties', 0), node.get('maxProperties')))
        self.compare(path + '{name}', kind['key'], node.get('propertyNames', {}))
        self.compare(path + '{}', kind['element'], node.get('additionalProperties', {}))

    def compare_list(self, path, kind, node):
        self.expect(path, 'the list', ('array', kind['min'], kind['max']),
                    (node.get('type'), node.get('minItems', 0), node.get('maxItems')))
        self.compare(path + '[]', kind['element'], node.get('items', {}))

    def compare_pair(self, path, kind, node):
        items = node.get('prefixItems', [{}, {}])
        self.expect(path, 'the pair', ('array', 2, False), (node.get('type'), node.get('minItems'), node.get('items')))
        for i, number in enumerate((kind['element'], kind['second'])):
            item = items[i]
            if kind['nullable']:
                self.expect('%s[%d]' % (path, i), 'null', NULL, item.get('anyOf', [{}])[-1])
                item = item.get('anyOf', [{}])[0]
            self.compare('%s[%d]' % (path, i), number, item)

    def compare_choice(self, path, kind, node):
        forms = [kind[form] for form in ('scalar', 'list', 'object') if form in kind]
        self.expect(path, 'the number of forms', len(forms), len(node.get('anyOf', [])))
        for number, form in zip(forms, node.get('anyOf', [])):
            self.compare(path, number, form)


def differences(grammar, schema, parse):
    """-> (differences between the two, keys of all objects)"""
    walk = Walk(grammar, schema, parse)
    walk.compare('', grammar['versions'], schema['then'])
    walk.compare('', grammar['tariff'], schema['else'])
    return walk.differences, walk.keys


def undocumented(grammar, document):
    """-> words and plain defaults that the document lacks"""
    rows = [line.split('|') for line in document.split('\n') if line.startswith('|')]
    words, defaults = set(), set()
    for kind in grammar['types']:
        words.update(kind.get('words', []))
        for field in kind.get('fields', []):
            words.update(field['kinds'])
            if re.fullmatch(r'"?\w+"?', field.get('initial', 'null')):
                defaults.add((field['name'], field.get('initial', 'null').strip('"')))
    lacking = [word for word in words - DAYS if not re.search(r'(?<![\w.])%s(?!\w)' % re.escape(word), document)]
    for key, initial in defaults - {(key, 'null') for key, _ in defaults}:
        stands = re.compile(r'(?<![\w.-])%s(?!\w)' % initial)
        if not (any('`%s`' % key in row[1] and stands.search(row[2]) for row in rows)
                or re.search(r'[`"]%s[`"]: `?"?%s' % (key, initial), document)):
            lacking.append('%s: %s' % (key, initial))
    return sorted(lacking)

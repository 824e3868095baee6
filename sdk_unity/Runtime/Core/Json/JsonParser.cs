namespace Callsheet.Wire
{
    /// <summary>Reads JSON text (RFC 8259) strictly: UTF-8, no lone surrogates, a bounded depth.</summary>
    internal sealed class JsonParser
    {
        internal const int MaxDepth = 128;

        private JsonDocument _document;
        private byte[] _text;
        private int _at;
        private int _end;
        private string _error;

        /// <summary>Adds the tokens of a text to a document.</summary>
        /// <returns>Null, or what is wrong and where.</returns>
        internal string Parse(JsonDocument into, byte[] text, int start, int count)
        {
            _document = into;
            _text = text;
            _at = start;
            _end = start + count;
            _error = null;
            if (Value(0))
            {
                Blank();
                if (_at != _end)
                {
                    Fail("text after the end of the value");
                }
            }
            return _error == null ? null : _error + " at byte " + (_at - start);
        }

        /// <summary>Four hexadecimal digits, or -1.</summary>
        internal static int Hex(byte[] text, int at)
        {
            int value = 0;
            for (int i = at; i < at + 4; i++)
            {
                int c = text[i], lower = c | 0x20;
                int digit = c >= '0' && c <= '9' ? c - '0' : lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
                if (digit < 0)
                {
                    return -1;
                }
                value = (value << 4) | digit;
            }
            return value;
        }

        private bool Value(int depth)
        {
            Blank();
            if (_at == _end)
            {
                return Fail("the text ends where a value should be");
            }
            switch (_text[_at])
            {
                case (byte)'{': return Compound(depth, JsonKind.Object, (byte)'}');
                case (byte)'[': return Compound(depth, JsonKind.Array, (byte)']');
                case (byte)'"': return StringValue();
                case (byte)'t': return Word("true", JsonKind.True);
                case (byte)'f': return Word("false", JsonKind.False);
                case (byte)'n': return Word("null", JsonKind.Null);
                default: return NumberValue();
            }
        }

        private bool Compound(int depth, JsonKind kind, byte close)
        {
            if (depth == MaxDepth)
            {
                return Fail("more than " + MaxDepth + " levels of nesting");
            }
            int token = _document.Add(kind, _at++, 0);
            Blank();
            if (_at < _end && _text[_at] == close)
            {
                _at++;
                _document.Close(token);
                return true;
            }
            while (true)
            {
                if (kind == JsonKind.Object)
                {
                    Blank();
                    if (_at == _end || _text[_at] != '"')
                    {
                        return Fail("a field name should be here");
                    }
                    if (!StringValue())
                    {
                        return false;
                    }
                    Blank();
                    if (_at == _end || _text[_at++] != ':')
                    {
                        return Fail("':' should be here");
                    }
                }
                if (!Value(depth + 1))
                {
                    return false;
                }
                Blank();
                if (_at == _end)
                {
                    return Fail("the text ends inside " + (kind == JsonKind.Object ? "an object" : "an array"));
                }
                byte next = _text[_at++];
                if (next == close)
                {
                    _document.Close(token);
                    return true;
                }
                if (next != ',')
                {
                    return Fail("',' or '" + (char)close + "' should be here");
                }
            }
        }

        private bool Word(string word, JsonKind kind)
        {
            int start = _at;
            for (int i = 0; i < word.Length; i++, _at++)
            {
                if (_at == _end || _text[_at] != word[i])
                {
                    return Fail("this is no JSON value");
                }
            }
            _document.Add(kind, start, word.Length);
            return true;
        }

        private bool NumberValue()
        {
            int start = _at;
            if (_text[_at] == '-')
            {
                _at++;
            }
            if (_at < _end && _text[_at] == '0')
            {
                _at++;
            }
            else if (Digits() == 0)
            {
                return Fail("this is no JSON value");
            }
            if (_at < _end && _text[_at] == '.')
            {
                _at++;
                if (Digits() == 0)
                {
                    return Fail("a digit should follow '.'");
                }
            }
            if (_at < _end && (_text[_at] == 'e' || _text[_at] == 'E'))
            {
                _at++;
                if (_at < _end && (_text[_at] == '+' || _text[_at] == '-'))
                {
                    _at++;
                }
                if (Digits() == 0)
                {
                    return Fail("an exponent should be here");
                }
            }
            _document.Add(JsonKind.Number, start, _at - start);
            return true;
        }

        private int Digits()
        {
            int start = _at;
            while (_at < _end && _text[_at] >= '0' && _text[_at] <= '9')
            {
                _at++;
            }
            return _at - start;
        }

        private bool StringValue()
        {
            int start = ++_at;
            bool escaped = false;
            while (_at < _end)
            {
                byte c = _text[_at];
                if (c == '"')
                {
                    _document.Add(JsonKind.String, start, _at - start, escaped);
                    _at++;
                    return true;
                }
                if (c < 0x20)
                {
                    return Fail("a control character in a string must be escaped");
                }
                if (c == '\\')
                {
                    escaped = true;
                    if (!Escape())
                    {
                        return false;
                    }
                }
                else if (c < 0x80)
                {
                    _at++;
                }
                else if (!Utf8())
                {
                    return Fail("invalid UTF-8");
                }
            }
            return Fail("the text ends inside a string");
        }

        private bool Escape()
        {
            _at++;
            if (_at == _end || "\"\\/bfnrtu".IndexOf((char)_text[_at]) < 0)
            {
                return Fail("unknown escape");
            }
            if (_text[_at++] != 'u')
            {
                return true;
            }
            int unit = HexHere(_at);
            if (unit < 0 || (unit & 0xFC00) == 0xDC00)
            {
                return Fail("\\u needs four hexadecimal digits that are no lone surrogate");
            }
            _at += 4;
            if ((unit & 0xFC00) != 0xD800)
            {
                return true;
            }
            bool pair = _at + 1 < _end && _text[_at] == '\\' && _text[_at + 1] == 'u' && (HexHere(_at + 2) & 0xFC00) == 0xDC00;
            if (!pair)
            {
                return Fail("a lone surrogate");
            }
            _at += 6;
            return true;
        }

        /// <summary>Steps over one character of more than one byte (RFC 3629, section 4).</summary>
        private bool Utf8()
        {
            int first = _text[_at];
            int more = first >= 0xC2 && first <= 0xDF ? 1 : first >= 0xE0 && first <= 0xEF ? 2 : first >= 0xF0 && first <= 0xF4 ? 3 : 0;
            if (more == 0 || _at + more >= _end)
            {
                return false;
            }
            int second = _text[_at + 1];
            int low = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
            int high = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
            if (second < low || second > high)
            {
                return false;
            }
            for (int i = 2; i <= more; i++)
            {
                if ((_text[_at + i] & 0xC0) != 0x80)
                {
                    return false;
                }
            }
            _at += more + 1;
            return true;
        }

        private void Blank()
        {
            while (_at < _end && (_text[_at] == ' ' || _text[_at] == '\n' || _text[_at] == '\t' || _text[_at] == '\r'))
            {
                _at++;
            }
        }

        private int HexHere(int at) => at + 4 > _end ? -1 : Hex(_text, at);

        private bool Fail(string what)
        {
            _error = _error ?? what;
            return false;
        }
    }
}

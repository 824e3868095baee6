using System;
using System.Text;

namespace Callsheet.Wire
{
    internal enum JsonKind : byte
    {
        Null,
        False,
        True,
        Number,
        String,
        Array,
        Object,
    }

    /// <summary>
    /// A parsed JSON text (RFC 8259) as a flat list of tokens over the bytes it was read from.
    ///
    /// One object is used for many texts and allocates only to grow. A token's children follow it;
    /// <see cref="Next"/> is the index after the last of them. In an object, names and values alternate.
    /// </summary>
    internal sealed class JsonDocument
    {
        internal const int MaxDepth = 128;

        private Token[] _tokens = new Token[64];
        private int _count;
        private byte[] _text;
        private int _at;
        private int _end;
        private string _error;
        private readonly StringBuilder _builder = new StringBuilder();

        private struct Token
        {
            public JsonKind Kind;
            public bool Escaped;
            public int Start;
            public int Length;
            public int Next;
        }

        /// <summary>Reads a text. The bytes must stay as they are for as long as tokens are looked at.</summary>
        /// <returns>Null, or what is wrong and where.</returns>
        internal string Parse(byte[] text, int start, int count)
        {
            _text = text;
            _at = start;
            _end = start + count;
            _count = 0;
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

        internal JsonKind Kind(int token) => _tokens[token].Kind;

        internal int Next(int token) => _tokens[token].Next;

        /// <summary>The bytes of a number or of a string without its quotes.</summary>
        internal ArraySegment<byte> Raw(int token) =>
            new ArraySegment<byte>(_text, _tokens[token].Start, _tokens[token].Length);

        /// <summary>The token of a field's value, the last if the name comes twice; -1 if there is none.</summary>
        internal int Find(int obj, string name)
        {
            int found = -1;
            for (int t = obj + 1; t < _tokens[obj].Next; t = _tokens[t + 1].Next)
            {
                if (Equal(t, name))
                {
                    found = t + 1;
                }
            }
            return found;
        }

        /// <summary>True if a string token holds <paramref name="ascii"/>.</summary>
        internal bool Equal(int token, string ascii)
        {
            Token t = _tokens[token];
            if (t.Escaped)
            {
                return Text(token) == ascii;
            }
            if (t.Length != ascii.Length)
            {
                return false;
            }
            for (int i = 0; i < ascii.Length; i++)
            {
                if (_text[t.Start + i] != ascii[i])
                {
                    return false;
                }
            }
            return true;
        }

        internal string Text(int token)
        {
            Token t = _tokens[token];
            if (!t.Escaped)
            {
                return Encoding.UTF8.GetString(_text, t.Start, t.Length);
            }
            _builder.Length = 0;
            int end = t.Start + t.Length, plain = t.Start;
            for (int at = t.Start; at < end; at++)
            {
                if (_text[at] != '\\')
                {
                    continue;
                }
                _builder.Append(Encoding.UTF8.GetString(_text, plain, at - plain));
                at++;
                if (_text[at] == 'u')
                {
                    _builder.Append((char)Hex(at + 1));
                    at += 4;
                }
                else
                {
                    _builder.Append("\"\\/\b\f\n\r\t"["\"\\/bfnrt".IndexOf((char)_text[at])]);
                }
                plain = at + 1;
            }
            _builder.Append(Encoding.UTF8.GetString(_text, plain, end - plain));
            return _builder.ToString();
        }

        internal bool TryReal(int token, out double value)
        {
            Token t = _tokens[token];
            value = 0;
            return t.Kind == JsonKind.Number && Numbers.TryParse(_text, t.Start, t.Length, out value);
        }

        /// <summary>
        /// True if every JSON library reads a value the same: at most <paramref name="levels"/> deep,
        /// numbers finite, integers within 2^53-1.
        /// </summary>
        internal bool IsPortable(int token, int levels)
        {
            Token t = _tokens[token];
            if (t.Kind == JsonKind.Number)
            {
                return TryReal(token, out double value) && (Math.Abs(value) <= ProtocolInfo.MaxInteger || !IsInteger(t));
            }
            if (t.Kind != JsonKind.Array && t.Kind != JsonKind.Object)
            {
                return true;
            }
            bool portable = levels > 0;
            for (int child = token + 1; portable && child < t.Next; child = _tokens[child].Next)
            {
                portable = IsPortable(child, levels - 1);
            }
            return portable;
        }

        /// <summary>False unless the token is a number without fraction and exponent that a long can hold.</summary>
        internal bool TryInteger(int token, out long value)
        {
            Token t = _tokens[token];
            value = 0;
            if (t.Kind != JsonKind.Number)
            {
                return false;
            }
            bool negative = _text[t.Start] == '-';
            for (int i = negative ? 1 : 0; i < t.Length; i++)
            {
                int digit = _text[t.Start + i] - '0';
                if (digit < 0 || digit > 9 || value < (long.MinValue + digit) / 10)
                {
                    return false;
                }
                value = (value * 10) - digit;
            }
            if (!negative && value == long.MinValue)
            {
                return false;
            }
            value = negative ? value : -value;
            return true;
        }

        /// <summary>The way to a token from the top, as in <c>npcs.0.position</c>.</summary>
        internal string PathTo(int target)
        {
            var path = new StringBuilder();
            int at = 0;
            while (at < target && (_tokens[at].Kind == JsonKind.Object || _tokens[at].Kind == JsonKind.Array))
            {
                bool isObject = _tokens[at].Kind == JsonKind.Object;
                int child = at + 1, index = 0;
                for (; child < _tokens[at].Next; child = _tokens[child].Next, index++)
                {
                    int value = isObject ? child + 1 : child;
                    if (target < _tokens[value].Next)
                    {
                        path.Append(path.Length > 0 ? "." : "").Append(isObject ? Text(child) : index.ToString());
                        child = value;
                        break;
                    }
                    child = value;
                }
                at = child;
            }
            return path.ToString();
        }

        private bool IsInteger(Token number)
        {
            for (int i = number.Start; i < number.Start + number.Length; i++)
            {
                if (_text[i] == '.' || _text[i] == 'e' || _text[i] == 'E')
                {
                    return false;
                }
            }
            return true;
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
            int token = Add(kind, _at++, 0);
            Blank();
            if (_at < _end && _text[_at] == close)
            {
                _at++;
                _tokens[token].Next = _count;
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
                    _tokens[token].Next = _count;
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
            Add(kind, start, word.Length);
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
            Add(JsonKind.Number, start, _at - start);
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
                    int token = Add(JsonKind.String, start, _at - start);
                    _tokens[token].Escaped = escaped;
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
            int unit = Hex(_at);
            if (unit < 0 || (unit & 0xFC00) == 0xDC00)
            {
                return Fail("\\u needs four hexadecimal digits that are no lone surrogate");
            }
            _at += 4;
            if ((unit & 0xFC00) != 0xD800)
            {
                return true;
            }
            bool pair = _at + 1 < _end && _text[_at] == '\\' && _text[_at + 1] == 'u' && (Hex(_at + 2) & 0xFC00) == 0xDC00;
            if (!pair)
            {
                return Fail("a lone surrogate");
            }
            _at += 6;
            return true;
        }

        /// <summary>Four hexadecimal digits, or -1.</summary>
        private int Hex(int at)
        {
            if (at + 4 > _end)
            {
                return -1;
            }
            int value = 0;
            for (int i = at; i < at + 4; i++)
            {
                int c = _text[i], lower = c | 0x20;
                int digit = c >= '0' && c <= '9' ? c - '0' : lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
                if (digit < 0)
                {
                    return -1;
                }
                value = (value << 4) | digit;
            }
            return value;
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

        private int Add(JsonKind kind, int start, int length)
        {
            if (_count == _tokens.Length)
            {
                Array.Resize(ref _tokens, _count * 2);
            }
            _tokens[_count] = new Token { Kind = kind, Start = start, Length = length, Next = _count + 1 };
            return _count++;
        }

        private bool Fail(string what)
        {
            _error = _error ?? what;
            return false;
        }
    }
}

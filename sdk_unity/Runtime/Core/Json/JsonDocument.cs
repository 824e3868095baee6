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
        private readonly JsonParser _parser = new JsonParser();
        private readonly StringBuilder _builder = new StringBuilder();
        private Token[] _tokens = new Token[64];
        private int _count;
        private byte[] _text;

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
            _count = 0;
            return _parser.Parse(this, text, start, count);
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
                    _builder.Append((char)JsonParser.Hex(_text, at + 1));
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

        /// <summary>False unless the token is a number within 2^53-1 that has no fraction, however written: <c>3</c>, <c>3.0</c>, <c>3e0</c>.</summary>
        internal bool TryWhole(int token, out long value)
        {
            if (TryInteger(token, out value))
            {
                return true;
            }
            if (!TryReal(token, out double real) || Math.Abs(real) > ProtocolInfo.MaxInteger || Math.Floor(real) != real)
            {
                return false;
            }
            value = (long)real;
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

        /// <summary>Adds a token; of a compound, the children follow.</summary>
        internal int Add(JsonKind kind, int start, int length, bool escaped = false)
        {
            if (_count == _tokens.Length)
            {
                Array.Resize(ref _tokens, _count * 2);
            }
            _tokens[_count] = new Token { Kind = kind, Escaped = escaped, Start = start, Length = length, Next = _count + 1 };
            return _count++;
        }

        /// <summary>The last child of a compound was added.</summary>
        internal void Close(int token) => _tokens[token].Next = _count;
    }
}

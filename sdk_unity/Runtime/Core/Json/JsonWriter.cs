using System;
using System.Collections.Generic;
using System.Text;

namespace Callsheet.Wire
{
    /// <summary>
    /// Writes canonical JSON into a buffer that is used again and again.
    ///
    /// A value that the protocol does not allow throws <see cref="CallsheetException"/> naming the field,
    /// the value and the limit: it comes from the game's own call, and this is the place to say so.
    /// </summary>
    internal sealed class JsonWriter
    {
        private const int LongestNumber = 32;
        private string _type = "";
        private string _parent = "";

        internal byte[] Buffer { get; private set; } = new byte[1024];

        internal int Count { get; private set; }

        /// <summary>Begins a message; what was in the buffer is gone.</summary>
        internal void Begin(string type)
        {
            Count = 0;
            _type = type;
            _parent = "";
            Ascii("{\"type\":\"");
            Ascii(type);
            Byte('"');
        }

        internal void End() => Byte('}');

        internal void Text(string name, string value, int min, int max, TextForm form)
        {
            Need(name, value);
            Name(name);
            Checked(name, value, min, max, form);
        }

        internal void Integer(string name, long value, long min, long max)
        {
            if (value < min || value > max)
            {
                throw Refused(name, value.ToString(), "must be " + min + " to " + max, value < min ? min : max);
            }
            Name(name);
            Reserve(LongestNumber);
            Count += Numbers.Format(value, Buffer, Count);
        }

        internal void Handle(string name, uint value) => Integer(name, value, 0, uint.MaxValue);

        internal void Real(string name, double value, double min, double max)
        {
            Name(name);
            RealItem(name, value, min, max);
        }

        internal void Flag(string name, bool value)
        {
            Name(name);
            Ascii(value ? "true" : "false");
        }

        internal void Vector(string name, Vec3 value, double min, double max)
        {
            Name(name);
            Byte('[');
            RealItem(name, value.X, min, max);
            Byte(',');
            RealItem(name, value.Y, min, max);
            Byte(',');
            RealItem(name, value.Z, min, max);
            Byte(']');
        }

        internal void Enum(string name, int value, string[] names)
        {
            if (value < 0 || value >= names.Length)
            {
                throw Refused(name, value.ToString(), "must be one of " + string.Join(", ", names), null);
            }
            Name(name);
            Quoted(names[value]);
        }

        internal void Object(string name, JsonValue value)
        {
            Need(name, value);
            Name(name);
            Value(value);
        }

        internal void Part<T>(string name, T value, Action<JsonWriter, T> format)
            where T : class
        {
            Need(name, value);
            Name(name);
            Nested(name, value, format);
        }

        internal void Parts<T>(string name, T[] values, int min, int max, Action<JsonWriter, T> format)
            where T : class
        {
            OpenArray(name, values, min, max);
            for (int i = 0; i < values.Length; i++)
            {
                Comma(i);
                Need(name, values[i]);
                Nested(name, values[i], format);
            }
            Byte(']');
        }

        internal void Texts(string name, string[] values, int min, int max, int minChars, int maxChars, TextForm form)
        {
            OpenArray(name, values, min, max);
            for (int i = 0; i < values.Length; i++)
            {
                Comma(i);
                Need(name, values[i]);
                Checked(name, values[i], minChars, maxChars, form);
            }
            Byte(']');
        }

        internal void Enums(string name, int[] values, int min, int max, string[] names)
        {
            OpenArray(name, values, min, max);
            for (int i = 0; i < values.Length; i++)
            {
                Comma(i);
                Quoted(names[values[i]]);
            }
            Byte(']');
        }

        /// <summary>Writes a value of any shape.</summary>
        internal void Value(JsonValue value)
        {
            switch (value.Type)
            {
                case JsonType.Boolean:
                    Ascii(value.Boolean ? "true" : "false");
                    break;
                case JsonType.Number:
                    Reserve(LongestNumber);
                    Count += value.Integer.HasValue
                        ? Numbers.Format(value.Integer.Value, Buffer, Count)
                        : Numbers.Format(value.Number, Buffer, Count);
                    break;
                case JsonType.String:
                    Quoted(value.Text);
                    break;
                case JsonType.Array:
                    Byte('[');
                    for (int i = 0; i < value.Items.Count; i++)
                    {
                        Comma(i);
                        Value(value.Items[i]);
                    }
                    Byte(']');
                    break;
                case JsonType.Object:
                    Byte('{');
                    for (int i = 0; i < value.Fields.Count; i++)
                    {
                        KeyValuePair<string, JsonValue> field = value.Fields[i];
                        Comma(i);
                        Quoted(field.Key);
                        Byte(':');
                        Value(field.Value);
                    }
                    Byte('}');
                    break;
                default:
                    Ascii("null");
                    break;
            }
        }

        private void Nested<T>(string name, T value, Action<JsonWriter, T> format)
        {
            string outer = _parent;
            _parent = outer + name + ".";
            Byte('{');
            format(this, value);
            Byte('}');
            _parent = outer;
        }

        private void OpenArray<T>(string name, T[] values, int min, int max)
        {
            Need(name, values);
            if (values.Length < min || values.Length > max)
            {
                string allowed = max == int.MaxValue ? "at least " + min : min + " to " + max;
                throw Refused(name, values.Length + " items", "must have " + allowed + " items", values.Length < min ? min : max);
            }
            Name(name);
            Byte('[');
        }

        private void Checked(string name, string value, int min, int max, TextForm form)
        {
            string broken = TextRules.Broken(value, min, max, form);
            if (broken != null)
            {
                throw Refused(name, value, broken, value.Length < min ? min : (double)max);
            }
            Quoted(value);
        }

        private void RealItem(string name, double value, double min, double max)
        {
            if (!(value >= min && value <= max) || double.IsInfinity(value))
            {
                string shown = value.ToString("R", System.Globalization.CultureInfo.InvariantCulture);
                throw Refused(name, shown, "must be a finite number within its limits", value < min ? min : max);
            }
            Reserve(LongestNumber);
            Count += Numbers.Format(value, Buffer, Count);
        }

        private void Need(string name, object value)
        {
            if (value == null)
            {
                throw Refused(name, "null", "is required", null);
            }
        }

        private CallsheetException Refused(string name, string value, string what, double? limit)
        {
            string field = _parent + name;
            return new CallsheetException(new CallsheetError(
                ErrorCode.BadMessage, _type + "." + field + " " + what, field, CallsheetError.Shorten(value), limit));
        }

        private void Name(string name)
        {
            if (Buffer[Count - 1] != '{')
            {
                Byte(',');
            }
            Byte('"');
            Ascii(name);
            Ascii("\":");
        }

        private void Comma(int index)
        {
            if (index > 0)
            {
                Byte(',');
            }
        }

        private void Quoted(string text)
        {
            Reserve((text.Length * 6) + 2);
            byte[] into = Buffer;
            int at = Count, plain = 0;
            into[at++] = (byte)'"';
            for (int i = 0; i < text.Length; i++)
            {
                char c = text[i];
                if (c >= 0x20 && c != '"' && c != '\\')
                {
                    continue;
                }
                at += Encoding.UTF8.GetBytes(text, plain, i - plain, into, at);
                plain = i + 1;
                into[at++] = (byte)'\\';
                int letter = "\"\\\b\f\n\r\t".IndexOf(c);
                if (letter >= 0)
                {
                    into[at++] = (byte)"\"\\bfnrt"[letter];
                    continue;
                }
                into[at++] = (byte)'u';
                into[at++] = (byte)'0';
                into[at++] = (byte)'0';
                into[at++] = (byte)('0' + (c >> 4));
                into[at++] = (byte)"0123456789abcdef"[c & 15];
            }
            at += Encoding.UTF8.GetBytes(text, plain, text.Length - plain, into, at);
            into[at++] = (byte)'"';
            Count = at;
        }

        private void Ascii(string text)
        {
            Reserve(text.Length);
            for (int i = 0; i < text.Length; i++)
            {
                Buffer[Count++] = (byte)text[i];
            }
        }

        private void Byte(char c)
        {
            Reserve(1);
            Buffer[Count++] = (byte)c;
        }

        private void Reserve(int more)
        {
            if (Count + more > Buffer.Length)
            {
                byte[] grown = new byte[Math.Max(Buffer.Length * 2, Count + more)];
                System.Buffer.BlockCopy(Buffer, 0, grown, 0, Count);
                Buffer = grown;
            }
        }
    }
}

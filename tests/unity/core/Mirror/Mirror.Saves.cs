// Generated from sdk_python/callsheet/wire by Tools~/generate_messages.py; do not edit.

using Callsheet.Wire;

namespace Callsheet.Tests
{
    internal static partial class Mirror
    {
        private static ForgetMessage ReadForgetMessage(FieldReader f)
        {
            var m = new ForgetMessage();
            m.Id = f.Integer("id", 1, 9007199254740991);
            if (f.Has("npcs")) m.Npcs = f.Texts("npcs", 1, 10000, 1, 64, TextForm.Id);
            if (f.Has("after_s")) m.AfterS = f.Real("after_s", 0, 1e+12);
            return m;
        }

        private static SaveMessage ReadSaveMessage(FieldReader f)
        {
            var m = new SaveMessage();
            m.Id = f.Integer("id", 1, 9007199254740991);
            m.Name = f.Text("name", 1, 64, TextForm.Any);
            return m;
        }

        private static void WriteSavedMessage(JsonWriter w, SavedMessage m)
        {
            if (m.Seq != null) w.Integer("seq", m.Seq.Value, 1, 9007199254740991);
            if (m.Id != null) w.Integer("id", m.Id.Value, 1, 9007199254740991);
            w.Text("name", m.Name, 1, 64, TextForm.Any);
            w.Real("time_s", m.TimeS, double.MinValue, double.MaxValue);
        }

        private static LoadMessage ReadLoadMessage(FieldReader f)
        {
            var m = new LoadMessage();
            m.Id = f.Integer("id", 1, 9007199254740991);
            m.Name = f.Text("name", 1, 64, TextForm.Any);
            return m;
        }

        private static void WriteLoadedMessage(JsonWriter w, LoadedMessage m)
        {
            if (m.Seq != null) w.Integer("seq", m.Seq.Value, 1, 9007199254740991);
            if (m.Id != null) w.Integer("id", m.Id.Value, 1, 9007199254740991);
            w.Text("name", m.Name, 1, 64, TextForm.Any);
            w.Real("time_s", m.TimeS, double.MinValue, double.MaxValue);
        }

        private static DeleteSaveMessage ReadDeleteSaveMessage(FieldReader f)
        {
            var m = new DeleteSaveMessage();
            m.Id = f.Integer("id", 1, 9007199254740991);
            m.Name = f.Text("name", 1, 64, TextForm.Any);
            return m;
        }

        private static ListSavesMessage ReadListSavesMessage(FieldReader f)
        {
            var m = new ListSavesMessage();
            m.Id = f.Integer("id", 1, 9007199254740991);
            return m;
        }

        private static void FormatSaveView(JsonWriter w, SaveView p)
        {
            w.Text("name", p.Name, 1, 64, TextForm.Any);
            w.Real("time_s", p.TimeS, double.MinValue, double.MaxValue);
            w.Real("saved_at", p.SavedAt, double.MinValue, double.MaxValue);
        }

        private static void WriteSavesMessage(JsonWriter w, SavesMessage m)
        {
            if (m.Seq != null) w.Integer("seq", m.Seq.Value, 1, 9007199254740991);
            w.Integer("id", m.Id, 1, 9007199254740991);
            w.Parts("saves", m.Saves, 0, int.MaxValue, FormatSaveView);
        }
    }
}

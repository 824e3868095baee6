// Generated from sdk_python/callsheet/wire by Tools~/generate_messages.py; do not edit.

using Callsheet.Wire;

namespace Callsheet.Tests
{
    internal static partial class Mirror
    {
        private static SetAdapterMessage ReadSetAdapterMessage(FieldReader f)
        {
            var m = new SetAdapterMessage();
            m.Id = f.Integer("id", 1, 9007199254740991);
            m.Adapter = f.Text("adapter", 1, 64, TextForm.Id);
            m.Folder = f.Text("folder", 1, 4096, TextForm.Any);
            if (f.Contains("update")) m.Update = f.Flag("update");
            return m;
        }

        private static RemoveAdapterMessage ReadRemoveAdapterMessage(FieldReader f)
        {
            var m = new RemoveAdapterMessage();
            m.Id = f.Integer("id", 1, 9007199254740991);
            m.Adapter = f.Text("adapter", 1, 64, TextForm.Id);
            return m;
        }

        private static ListAdaptersMessage ReadListAdaptersMessage(FieldReader f)
        {
            var m = new ListAdaptersMessage();
            m.Id = f.Integer("id", 1, 9007199254740991);
            return m;
        }

        private static void FormatAdapterView(JsonWriter w, AdapterView p)
        {
            w.Text("adapter", p.Adapter, 0, int.MaxValue, TextForm.Any);
            w.Text("folder", p.Folder, 0, int.MaxValue, TextForm.Any);
            w.Integer("npcs", p.Npcs, 0, 9007199254740991);
        }

        private static void WriteAdaptersMessage(JsonWriter w, AdaptersMessage m)
        {
            if (m.Seq != null) w.Integer("seq", m.Seq.Value, 1, 9007199254740991);
            w.Integer("id", m.Id, 1, 9007199254740991);
            w.Parts("adapters", m.Adapters, 0, int.MaxValue, FormatAdapterView);
        }
    }
}

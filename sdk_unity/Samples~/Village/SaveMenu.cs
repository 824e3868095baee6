using System;
using System.Collections.Generic;
using System.Globalization;
using Callsheet.Core;
using Callsheet.Wire;
using UnityEngine;
using UnityEngine.UIElements;

namespace Callsheet.Samples
{
    /// <summary>
    /// A menu of saves: what the villagers remember is saved, loaded, listed and deleted by name. A game saves its own
    /// state under the same name, beside each of these calls.
    /// </summary>
    [RequireComponent(typeof(UIDocument))]
    public sealed class SaveMenu : MonoBehaviour
    {
        private VisualElement _menu;
        private TextField _name;
        private ScrollView _saves;
        private Label _status;
        private bool _isOpen;

        private void OnEnable()
        {
            VisualElement root = GetComponent<UIDocument>().rootVisualElement;
            _menu = root.Q<VisualElement>("save-menu");
            _name = root.Q<TextField>("save-name");
            _saves = root.Q<ScrollView>("saves");
            _status = root.Q<Label>("save-status");
            root.Q<Button>("save").clicked += () => Run(CallsheetSaves.Save, _name.value, "saved");
            root.Q<Button>("open-saves").clicked += () => SetOpen(!_isOpen);
            SetOpen(false);
        }

        private void SetOpen(bool open)
        {
            _isOpen = open;
            _menu.style.display = open ? DisplayStyle.Flex : DisplayStyle.None;
            if (open)
            {
                Refresh();
            }
        }

        /// <summary>Asks for something to be done with a save, says what came of it, and lists anew.</summary>
        private async void Run<T>(Func<string, Answer<T>> ask, string save, string done)
        {
            try
            {
                await ask(save);
                _status.text = "\"" + save + "\" is " + done + ".";
            }
            catch (CallsheetException refused)
            {
                _status.text = refused.Message;
                return;
            }
            Refresh();
        }

        private async void Refresh()
        {
            try
            {
                IReadOnlyList<SaveView> saves = await CallsheetSaves.List();
                _saves.Clear();
                foreach (SaveView save in saves)
                {
                    _saves.Add(Row(save));
                }
            }
            catch (CallsheetException refused)
            {
                _status.text = refused.Message;
            }
        }

        private VisualElement Row(SaveView save)
        {
            var row = new VisualElement();
            row.AddToClassList("row");
            row.Add(new Label(save.Name + " (" + save.TimeS.ToString("F0", CultureInfo.InvariantCulture) + " s)") { enableRichText = false });
            row.Add(new Button(() => Run(CallsheetSaves.Load, save.Name, "loaded")) { text = "Load" });
            row.Add(new Button(() => Run(CallsheetSaves.Delete, save.Name, "deleted")) { text = "Delete" });
            return row;
        }
    }
}

using System;
using System.Collections.Generic;
using System.Xml;

namespace UnityEngine.UIElements
{
    public class PanelSettings : ScriptableObject
    {
    }

    public class VisualTreeAsset : ScriptableObject
    {
        private static readonly Dictionary<string, Func<VisualElement>> Known = new Dictionary<string, Func<VisualElement>>
        {
            { "VisualElement", () => new VisualElement() },
            { "Label", () => new Label() },
            { "Button", () => new Button() },
            { "TextField", () => new TextField() },
            { "ScrollView", () => new ScrollView() },
        };

        private string _uxml = "<UXML />";

        /// <summary>What the importer makes of a file. Not part of Unity's API.</summary>
        public static VisualTreeAsset FromUxml(string uxml)
        {
            VisualTreeAsset asset = CreateInstance<VisualTreeAsset>();
            asset._uxml = uxml;
            return asset;
        }

        internal void CloneInto(VisualElement root)
        {
            var document = new XmlDocument();
            document.LoadXml(_uxml);
            Fill(root, document.DocumentElement);
        }

        private static void Fill(VisualElement parent, XmlNode from)
        {
            foreach (XmlNode node in from.ChildNodes)
            {
                if (node.LocalName == "Style")
                {
                    continue;
                }
                VisualElement element = Known[node.LocalName]();
                foreach (XmlAttribute attribute in node.Attributes)
                {
                    Set(element, attribute.Name, attribute.Value);
                }
                parent.Add(element);
                Fill(element, node);
            }
        }

        private static void Set(VisualElement element, string attribute, string value)
        {
            switch (attribute)
            {
                case "name": element.name = value; break;
                case "text": ((TextElement)element).text = value; break;
                case "enable-rich-text": ((TextElement)element).enableRichText = bool.Parse(value); break;
                case "value": ((TextField)element).value = value; break;
                case "max-length": ((TextField)element).maxLength = int.Parse(value); break;
                case "class":
                case "style":
                case "picking-mode": break;
                default: throw new ArgumentException("no attribute of " + element.GetType().Name + ": " + attribute);
            }
        }
    }

    [DefaultExecutionOrder(-100)]
    [DisallowMultipleComponent]
    public sealed class UIDocument : MonoBehaviour
    {
        private VisualElement _root;

        public PanelSettings panelSettings { get; set; }

        public VisualTreeAsset visualTreeAsset { get; set; }

        public VisualElement rootVisualElement
        {
            get
            {
                if (_root == null)
                {
                    _root = new VisualElement();
                    visualTreeAsset.CloneInto(_root);
                }
                return _root;
            }
        }
    }

    public static class RuntimePanelUtils
    {
        public static Vector2 CameraTransformWorldToPanel(IPanel panel, Vector3 worldPosition, Camera camera) => new Vector2(worldPosition.x, worldPosition.y);
    }
}

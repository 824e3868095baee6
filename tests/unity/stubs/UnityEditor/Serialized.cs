using System;
using System.Collections.Generic;
using System.Reflection;

namespace UnityEditor
{
    /// <summary>Strings of an object's own fields can be read and written; nothing else.</summary>
    public class SerializedObject : IDisposable
    {
        private readonly UnityEngine.Object _target;
        private readonly List<SerializedProperty> _properties = new List<SerializedProperty>();

        public SerializedObject(UnityEngine.Object obj)
        {
            _target = obj;
        }

        public void Update()
        {
        }

        public void Dispose()
        {
        }

        public bool ApplyModifiedProperties() => ApplyModifiedPropertiesWithoutUndo();

        public bool ApplyModifiedPropertiesWithoutUndo()
        {
            _properties.ForEach(property => property.Apply(_target));
            return _properties.Count > 0;
        }

        public SerializedProperty GetIterator() => new SerializedProperty(null, _target);

        public SerializedProperty FindProperty(string propertyPath)
        {
            FieldInfo field = _target.GetType().GetField(propertyPath, BindingFlags.Instance | BindingFlags.NonPublic | BindingFlags.Public);
            if (field == null)
            {
                return null;
            }
            _properties.Add(new SerializedProperty(field, _target));
            return _properties[_properties.Count - 1];
        }
    }

    public class SerializedProperty : IDisposable
    {
        private readonly FieldInfo _field;

        internal SerializedProperty(FieldInfo field, UnityEngine.Object target)
        {
            _field = field;
            stringValue = field?.GetValue(target) as string;
        }

        public string name => _field?.Name ?? "";

        public string stringValue { get; set; }

        public void Dispose()
        {
        }

        public bool NextVisible(bool enterChildren) => false;

        internal void Apply(UnityEngine.Object target) => _field.SetValue(target, stringValue);
    }
}
